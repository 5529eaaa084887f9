"""A run as it is watched: a table that lives in a terminal, plain lines anywhere else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from console.cli.terminal import cell, console, say, table
from console.domain.ids import short
from console.domain.visible import one_line

if TYPE_CHECKING:
    from console.selectors.tasks import TaskLine


class Picture(Protocol):
    """Shows a run each time it is looked at."""

    def show(self, run: Sequence["TaskLine"], now: datetime) -> None:
        """Draw the run as it is now."""

    def note(self, words: str) -> None:
        """A line about something beside the tasks."""


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

    def show(self, run: Sequence["TaskLine"], now: datetime) -> None:
        """Nothing."""

    def note(self, words: str) -> None:
        """Nothing."""


class LiveTable:
    """One table, redrawn, with a bar under it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._ended = self._bar.add_task("tasks ended", total=None)

    def show(self, run: Sequence["TaskLine"], now: datetime) -> None:
        """Redraw the table."""
        self._bar.update(self._ended, total=len(run) or None, completed=sum(t.over for t in run))
        self._live.update(Group(run_table(run, now), self._bar))

    def note(self, words: str) -> None:
        """A line above the table."""
        self._live.console.print(cell(words))


class Lines:
    """One line for each change."""

    def __init__(self) -> None:
        self._known: dict[object, str] = {}

    def show(self, run: Sequence["TaskLine"], now: datetime) -> None:
        """A line for each task that stands otherwise than before."""
        for task in run:
            line = f"{now:%H:%M:%S}  {label(task):28} {standing(task)}"
            if self._known.get(task.id) != line[8:]:
                self._known[task.id] = line[8:]
                say(line)

    def note(self, words: str) -> None:
        """A line about something beside the tasks."""
        say(words)


def watch(
    look: Callable[[], list["TaskLine"]], *, seconds: float, quiet: bool = False
) -> list["TaskLine"]:
    """Show the tasks until all have ended; raises TookTooLong."""
    from django.utils import timezone

    from console.following import Away, follow

    run: list[TaskLine] = []
    with picture(quiet=quiet) as shown:
        for seen in follow(look, over=all_over, seconds=seconds):
            if isinstance(seen, Away):
                shown.note(f"the database is away, looking again: {seen.words}")
            else:
                run = seen
                shown.show(run, timezone.now())
    return run


def all_over(run: Sequence["TaskLine"]) -> bool:
    """Whether every task has ended."""
    return all(task.over for task in run)


def run_table(run: Sequence["TaskLine"], now: datetime) -> Table:
    """The tasks of a run: where each stands, on which node, for how long."""
    rows = [
        [label(t), t.tier, t.state, t.verdict, t.node, _seconds(t, now), short(t.id)] for t in run
    ]
    return table(["task", "tier", "state", "verdict", "node", "#seconds", "id"], rows)


def label(task: "TaskLine") -> str:
    """The name people know a task by: its skill, and its key where that says more."""
    return task.skill if task.key in task.skill else f"{task.skill} ({task.key})"


def standing(task: "TaskLine") -> str:
    """Where it stands, in a few words."""
    words = [task.state, task.verdict, f"on {task.node}" if task.node else "", task.reason]
    return " · ".join(one_line(word) for word in words if word)


def _seconds(task: "TaskLine", now: datetime) -> str:
    seconds = task.seconds(now)
    return "" if seconds is None else f"{seconds:.1f}"
