"""Telling how the main job went: a table, the reasons, who decided, and where to look next."""

import re
from pathlib import Path

from rich.text import Text

from console.cli.terminal import console, say, table
from console.demo.record import Ending, Record, TaskRecord
from console.demo.source import SKILLS
from console.domain.ids import short
from console.domain.visible import one_line

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")
_GOOD = {Ending.MERGED, Ending.REJECTED, Ending.NO_FIX}


def tell(record: Record, folder: Path) -> None:
    """Everything a person wants to know at the end."""
    console().print(_tasks(record))
    _placements(record)
    _approvals(record)
    _chain(record)
    _places(record, folder)
    _verdict(record)


def _tasks(record: Record) -> object:
    origin = record.repository.origin
    rows = [
        [name_of(t), t.tier, t.node, t.state, t.verdict, evidence_of(t, origin), _seconds(t)]
        for t in record.tasks
    ]
    columns = ["task", "tier", "node", "state", "verdict", "evidence", "#seconds"]
    return table(columns, rows, title="\nWhat was done")


def _placements(record: Record) -> None:
    say("\nWhy there", style="bold")
    for task in record.tasks:
        if task.placement:
            # What follows gives its priority in figures; `autonomy explain` tells all of it.
            why = task.placement.partition(";")[0]
            say(f"  {name_of(task):22} {one_line(why, 96)}")


def _approvals(record: Record) -> None:
    say("\nWhat a person decided", style="bold")
    for asked in record.approvals:
        who = f"by {asked.decided_by}" if asked.decided_by else ""
        words = [asked.skill, asked.decision, who, asked.action_digest[:16], asked.comment]
        say("  " + one_line("  ".join(word for word in words if word)))
    if not record.approvals:
        say("  nothing was asked")


def _chain(record: Record) -> None:
    found = record.ledger
    say("\nThe ledger", style="bold")
    if found.ok:
        say(f"  whole: {found.events} sealed events in {found.blocks} blocks, {found.head[:16]}")
    else:
        say(f"  NOT whole: {found.problem}", style="red")


def _places(record: Record, folder: Path) -> None:
    say("\nWhere to look next", style="bold")
    told = {
        "report": record.places.report,
        "origin": f"{record.repository.origin}, {record.repository.branch} at "
        f"{record.repository.now[:12]} (was {record.repository.commit[:12]})",
        "as JSON": str(folder / "last.json"),
        "logs": record.places.logs,
        "go on": f"autonomy up --skills {SKILLS}, then {record.places.console}admin/",
    }
    for name, words in told.items():
        if words:
            say(f"  {name:8} {words}")


def _verdict(record: Record) -> None:
    mark, style = ("✔", "bold green") if record.ending in _GOOD else ("◆", "bold yellow")
    if record.exit:
        mark, style = "✘", "bold red"
    console().print(Text(f"\n{mark} {one_line(record.words, 500)}", style=style))
    say(f"  {record.ending.value}, exit {record.exit}, {record.seconds:.0f} s")
    for asked in record.approvals:
        if asked.decision == "pending":
            say(f"  decide it: autonomy approve {short(asked.id)}, or autonomy reject")


def name_of(task: TaskRecord) -> str:
    """The name people know a task by."""
    return task.skill if task.key in task.skill else f"{task.skill} ({task.key})"


def evidence_of(task: TaskRecord, origin: str) -> str:
    """The first thing that was looked at, and how many more there were."""
    if not task.evidence:
        return one_line(task.reason, 60)
    first = _brief(f"{task.evidence[0].looked_at}: {task.evidence[0].seen}", origin)
    more = len(task.evidence) - 1
    return f"{first} +{more}" if more else first


def _brief(words: str, origin: str) -> str:
    """Without what is the same everywhere, and hashes by their beginning."""
    return one_line(_HASH.sub(r"\1…", words.replace(origin, "origin")), 64)


def _seconds(task: TaskRecord) -> str:
    return "" if task.seconds is None else f"{task.seconds:.1f}"
