"""A run as it is watched: a table that lives in a terminal, plain lines anywhere else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from console.cli.terminal import cell, console, say, table
from console.domain.names import label, short
from console.domain.visible import one_line

if TYPE_CHECKING:
    from console.selectors.runs import Run
    from console.selectors.tasks import TaskLine


class Picture(Protocol):
    """Shows a run each time it is looked at."""

    def show(self, tasks: Sequence["TaskLine"], now: datetime) -> None:
        """Draw the run as it is now."""

    def note(self, words: str) -> None:
        """A line about something beside the tasks."""

    def aside(self) -> AbstractContextManager[None]:
        """A while in which the terminal belongs to someone else."""


@contextmanager
def picture(*, quiet: bool = False) -> Iterator[Picture]:
    """A live table for a terminal, lines for a pipe, nothing for whoever wants JSON."""
    screen = console()
    if quiet:
        yield Nothing()
    elif not screen.is_terminal:
        yield Lines()
    else:
        with Live(console=screen, refresh_per_second=4, transient=True) as live:
            yield LiveTable(live)


class Nothing:
    """Shows nothing."""

    def show(self, tasks: Sequence["TaskLine"], now: datetime) -> None:
        """Nothing."""

    def note(self, words: str) -> None:
        """Nothing."""

    def aside(self) -> AbstractContextManager[None]:
        """Nothing to step aside with."""
        return nullcontext()


class LiveTable:
    """One table, redrawn, with a bar under it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._ended = self._bar.add_task("tasks ended", total=None)

    def show(self, tasks: Sequence["TaskLine"], now: datetime) -> None:
        """Redraw the table."""
        ended = sum(task.over for task in tasks)
        self._bar.update(self._ended, total=len(tasks) or None, completed=ended)
        self._live.update(Group(run_table(tasks, now), self._bar))

    def note(self, words: str) -> None:
        """A line above the table."""
        self._live.console.print(cell(words))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The table goes, and comes back."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()


class Lines:
    """One line for each change."""

    def __init__(self) -> None:
        self._known: dict[object, str] = {}

    def show(self, tasks: Sequence["TaskLine"], now: datetime) -> None:
        """A line for each task that stands otherwise than before."""
        for task in tasks:
            line = f"{label(task.skill, task.key):28} {standing(task)}"
            if self._known.get(task.id) != line:
                self._known[task.id] = line
                say(f"{now:%H:%M:%S}  {line}")

    def note(self, words: str) -> None:
        """A line about something beside the tasks."""
        say(words)

    def aside(self) -> AbstractContextManager[None]:
        """Lines stand in nobody's way."""
        return nullcontext()


def watch(
    look: Callable[[], "Run"],
    *,
    until: Callable[["Run"], bool],
    seconds: float,
    shown: Picture,
    while_away: Callable[[], str] = lambda: "",
) -> "Run":
    """Show the run until it is so; raises TookTooLong. Each note is made once."""
    from django.utils import timezone

    from console.following import Away, follow

    noted: set[str] = set()
    seen: Run | Away = Away("")
    for seen in follow(look, until=until, seconds=seconds):
        if isinstance(seen, Away):
            notes = [f"the database is away, looking again: {seen.words}", while_away()]
        else:
            shown.show(seen.tasks, timezone.now())
            waits = () if until(seen) else seen.asked
            notes = [f"waits for a person: autonomy approve {short(a.id)}" for a in waits]
        for note in [note for note in notes if note and note not in noted]:
            noted.add(note)
            shown.note(note)
    assert not isinstance(seen, Away)  # noqa: S101 -- follow ends with a look or raises
    return seen


def run_table(tasks: Sequence["TaskLine"], now: datetime) -> Table:
    """The tasks of a run: where each stands, on which node, for how long."""
    rows = [
        [label(t.skill, t.key), t.tier, t.state, t.verdict, t.node, _seconds(t, now), short(t.id)]
        for t in tasks
    ]
    return table(["task", "tier", "state", "verdict", "node", "#seconds", "id"], rows)


def standing(task: "TaskLine") -> str:
    """Where it stands, in a few words."""
    words = [task.state, task.verdict, f"on {task.node}" if task.node else "", task.reason]
    return " · ".join(one_line(word) for word in words if word)


def _seconds(task: "TaskLine", now: datetime) -> str:
    seconds = task.seconds(now)
    return "" if seconds is None else f"{seconds:.1f}"
