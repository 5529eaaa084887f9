"""Telling how the main job went: a table, the reasons, who decided, and where to look next."""

import re
from pathlib import Path

from rich.text import Text

from console.cli.terminal import autonomy, console, say, table
from console.demo.record import Ending, Record, TaskRecord
from console.demo.source import SKILLS
from console.domain.names import label, short
from console.domain.visible import one_line

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")
_OPAQUE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{8}-[0-9a-f]{4}-|\d\d:\d\d:\d\d")
"""Hashes, ids and moments: they prove, and tell a reader little."""

_QUOTES = str.maketrans("", "", "'{}[]")
_GOOD = {Ending.MERGED, Ending.REJECTED, Ending.NO_FIX}


def tell(record: Record, folder: Path) -> None:
    """Everything a person wants to know at the end."""
    say("\nWhat was done", style="bold")
    console().print(_tasks(record))
    _placements(record)
    _approvals(record)
    _chain(record)
    _places(record, folder)
    _verdict(record)


def _tasks(record: Record) -> object:
    origin = record.repository.origin
    rows = [
        [
            label(t.skill, t.key),
            t.tier,
            t.node,
            t.state,
            t.verdict,
            evidence_of(t, origin),
            _seconds(t),
        ]
        for t in record.tasks
    ]
    columns = ["task", "tier", "node", "state", "verdict", "evidence", "#seconds"]
    return table(columns, rows)


def _placements(record: Record) -> None:
    say("\nWhy there", style="bold")
    for task in record.tasks:
        if task.placement:
            say(f"  {label(task.skill, task.key):22} {one_line(why_there(task), 110)}")


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
        "go on": f"{autonomy()} up --skills {SKILLS}, then {record.places.console}admin/",
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
    waiting = [asked for asked in record.approvals if asked.decision == "pending"]
    if waiting:
        say(f"  go on: {autonomy()} up --detach --skills {SKILLS}")
    for asked in waiting:
        id_ = short(asked.id)
        say(f"  decide: {autonomy()} approve {id_}, or {autonomy()} reject {id_} …")


def why_there(task: TaskRecord) -> str:
    """The choice of the node in one line; `autonomy explain` tells the figures behind it."""
    return task.placement.partition("; its priority")[0].partition("; a failure")[0] + ")"


def evidence_of(task: TaskRecord, origin: str) -> str:
    """What says most among what was looked at, and how much more there was."""
    if not task.evidence:
        return one_line(task.reason, 64)
    telling = [check for check in task.evidence if not _OPAQUE.search(check.seen)]
    check = (telling or task.evidence)[0]
    words = f"{check.looked_at}: {check.seen.translate(_QUOTES)}".replace(origin, "origin")
    more = len(task.evidence) - 1
    return one_line(_HASH.sub(r"\1…", words), 64) + (f" +{more}" if more else "")


def _seconds(task: TaskRecord) -> str:
    return "" if task.seconds is None else f"{task.seconds:.1f}"
