"""`ledger`: what happened, how it ended, and whether the record is whole."""

import re
from typing import Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, complain, console, plain, print_json, say, table
from console.domain.names import short
from console.domain.visible import one_line
from console.host.exits import Exit

commands = typer.Typer(help="What happened, how it ended, whether the record is whole.",
                       no_args_is_help=True)  # fmt: skip
_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Limit = Annotated[int, typer.Option(min=1, max=1000)]


@commands.command()
def events(
    task: Annotated[str, typer.Option(help="Only events of this task.")] = "",
    stream: Annotated[str, typer.Option(help="task, approval, node, component, detector …")] = "",
    kind: Annotated[str, typer.Option("--type", help="Only events of this type.")] = "",
    limit: Limit = 30,
    as_json: Json = False,
) -> None:
    """List the newest events."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.ledger import events as newest
    from console.selectors.tasks import named

    of = ("task", str(named(task).pk)) if task else (stream, "")
    found = newest(stream=of[0], stream_id=of[1], type_=kind, limit=limit)
    if as_json:
        return print_json(found)
    now = timezone.now()
    rows = [
        [e.sequence or "not yet", relative(e.at, now), e.type, f"{e.stream} {_short(e.stream_id)}",
         e.actor, one_line(_told(e.payload, e.body), 100)]
        for e in found
    ]  # fmt: skip
    console().print(table(["#place", "when", "event", "of", "actor", "what"], rows))
    return None


@commands.command()
def outcomes(
    skill: Annotated[str, typer.Option(help="Only outcomes of this skill.")] = "",
    verdict: Annotated[str, typer.Option(help="verified, refuted, inconclusive …")] = "",
    limit: Limit = 30,
    as_json: Json = False,
) -> None:
    """List how the newest tasks ended."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.ledger import outcomes as newest

    found = newest(skill=skill, verdict=verdict, limit=limit)
    if as_json:
        return print_json(found)
    now = timezone.now()
    rows = [
        [short(o.task_id), o.skill, o.state, o.verdict, o.node, f"{o.run_seconds:.1f}",
         o.retries, relative(o.at, now), one_line(o.reason, 60)]
        for o in found
    ]  # fmt: skip
    columns = ["task", "skill", "state", "verdict", "node", "#seconds", "#retries", "when", "why"]
    console().print(table(columns, rows))
    return None


@commands.command()
def verify(as_json: Json = False) -> None:
    """Recompute the whole chain and name the first altered, missing or added row."""
    door.enter()
    from rich.progress import Progress

    from firewall.selectors import principal
    from ledger.services import verify as check

    who = principal(door.person())
    screen = console(errors=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        shown = bar.add_task("events checked", total=None)
        found = check(lambda done, all_: bar.update(shown, completed=done, total=all_), actor=who)
    if as_json:
        print_json({"ok": found.ok, **plain(found)})
    elif found.problem:
        complain(str(found.problem), "keep this database as it is, and compare with a backup")
    else:
        say(f"✔ {found.events} events in {found.blocks} blocks are whole, head {found.head[:16]}")
    if not found.ok:
        raise typer.Exit(Exit.UNSOUND)


@commands.command("seal-status")
def seal_status(as_json: Json = False) -> None:
    """Say how far the chain has come, and how many events wait for it."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.ledger import sealing

    found = sealing()
    if as_json:
        return print_json(found)
    when = relative(found.sealed_at, timezone.now()) or "never"
    say(f"block {found.block}, {found.events} events sealed, the last {when}")
    say(f"{found.waiting} events wait for the next block, head {found.head[:16]}")
    return None


@commands.command("second-look")
def second_look(
    task: Annotated[str, typer.Argument(help="A task that was verified.")],
    holds: Annotated[bool, typer.Option("--holds/--fails", help="Whether it is really done.")],
    reason: Annotated[str, typer.Option(help="What was seen: is recorded.")],
    as_json: Json = False,
) -> None:
    """Record that you looked again at what a task did, and whether it is really done."""
    door.enter()
    from console.selectors.tasks import named
    from firewall.selectors import principal
    from ledger.services import record_second_look

    who = principal(door.person("firewall.submit_task"))
    found = named(task).pk
    record_second_look(found, holds=holds, actor=who, reason=reason, evidence={"seen": reason})
    if as_json:
        return print_json({"task": found, "holds": holds})
    say(f"✔ recorded: what task {found} did {'holds' if holds else 'was not done'}")
    return None


@commands.command()
def erase(
    event: Annotated[str, typer.Argument(help="The id of the event whose body is to go.")],
    reason: Annotated[str, typer.Option(help="Why: is recorded.")],
    as_json: Json = False,
) -> None:
    """Erase for good what an event says of people; its hash, and that it was erased, stay."""
    door.enter()
    from console.selectors.lookup import named
    from firewall.selectors import principal
    from ledger.models import Event
    from ledger.services import erase as remove

    who = principal(door.person("ledger.erase_body"))
    listing = "autonomy ledger events --json"
    found = named(Event.objects.all(), event, what="event", listing=listing)
    remove(found.pk, actor=who, reason=reason)
    if as_json:
        return print_json({"event": found.pk, "erased": True})
    say(f"✔ the body of event {found.pk} is erased; the chain still holds its hash")
    return None


def _told(payload: dict[str, object], body: str | None) -> str:
    return ", ".join([*(f"{k} {v}" for k, v in payload.items() if v), *([body] if body else [])])


def _short(stream_id: str) -> str:
    return short(stream_id) if _IS_ID.fullmatch(stream_id) else one_line(stream_id, 40)
