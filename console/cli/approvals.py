"""`approve`, `reject`, `solo`: a person decides, having seen exactly what would run."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.text import Text

from autonomy.domain.amounts import BadAmount, seconds
from console.cli import door
from console.cli.terminal import Json, console, diff, plain, print_json, say, table
from console.domain.names import short
from console.domain.visible import one_line, visible
from console.host.exits import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from console.selectors.approvals import ApprovalLine

commands = typer.Typer()
PANEL = "Deciding"

Which = Annotated[str, typer.Argument(metavar="ID", help="Of the approval, or of its task.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Decide without being asked.")]


class NotAsked(Exception):
    """Nobody is there to be asked, and --yes was not given."""


@commands.command(rich_help_panel=PANEL)
def approve(
    which: Which = "",
    comment: Annotated[str, typer.Option(help="Kept with the decision.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Allow exactly what is shown, once. Without ID: list what waits for a person."""
    door.enter()
    if which:
        _decide(which, "approved", comment, yes=yes, as_json=as_json)
    else:
        _list(as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def reject(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why not; whoever asked is told.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refuse it; its task ends."""
    door.enter()
    _decide(which, "rejected", reason, yes=yes, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def solo(
    lasting: Annotated[str, typer.Option("--for", help="Such as 30m or 2h; a day at most.")] = "",
    reason: Annotated[str, typer.Option(help="Kept in the ledger.")] = "",
    end: Annotated[bool, typer.Option("--end", help="End it now.")] = False,
    as_json: Json = False,
) -> None:
    """For a while, approve what you asked for yourself. Recorded; ends by itself."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from firewall.selectors import solo as current
    from firewall.services import begin_solo, end_solo

    person = door.person()
    if end:
        end_solo(person)
    elif lasting:
        begin_solo(person, lasting=_span(lasting), reason=reason)
    mode = current(person)
    if as_json:
        return print_json({"solo": mode is not None, "until": mode.until if mode else None})
    if mode is None:
        return say("solo mode is off: what you ask for, someone else has to approve")
    return say(f"solo mode is on and ends {relative(mode.until, timezone.now())}: {mode.reason}")


def show(asked: "ApprovalLine", now: "datetime") -> None:
    """What would run, in full, as it is stored."""
    from console.domain.times import relative

    screen = console()
    lines = [
        ("asked by", asked.requested_by),
        ("skill", f"{asked.skill}, tier {asked.tier}, version {asked.action['version']}"),
        *(("argument", f"{k} = {v}") for k, v in sorted(asked.action["args"].items())),
        *(("reads", f"{name} {value}") for name, value in sorted(asked.action["reads"].items())),
        ("expires", relative(asked.expires_at, now)),
        ("digest", asked.action_digest),
    ]
    body = Text(visible(asked.summary).strip() + "\n\n")
    for name, value in lines:
        body.append(f"{name:>9}  ", style="dim").append(one_line(value, 1000) + "\n")
    screen.print(Panel(body, title=Text(f"approval {short(asked.id)}"), title_align="left"))
    if asked.diff:
        screen.print(diff(asked.diff))


def confirmed(question: str) -> bool:
    """Whether the person says yes; anything else, and silence, is no."""
    console().print(Text(f"{question} [y/N] "), end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _decide(which: str, decision: str, comment: str, *, yes: bool, as_json: bool) -> None:
    from django.utils import timezone

    from console.selectors.approvals import approval, named
    from firewall.services import decide

    person, asked = door.person(), named(which)
    if not as_json:
        show(asked, timezone.now())
    if not yes and not _agreed(decision, asked, as_json=as_json):
        say("nothing was decided")
        raise typer.Exit(Exit.REFUSED)
    decide(asked.id, person, decision, comment, digest=asked.action_digest)
    if as_json:
        return print_json(approval(asked.id))
    return say(f"{decision} by {person.username}: {asked.skill}, task {short(asked.task_id)}")


def _agreed(decision: str, asked: "ApprovalLine", *, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        raise NotAsked(f"nobody is at the terminal to be asked whether it is {decision}")
    verb = {"approved": "Approve", "rejected": "Reject"}[decision]
    return confirmed(f"{verb} {asked.skill} with digest {asked.action_digest[:12]}?")


def _list(*, as_json: bool) -> None:
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.approvals import open_approvals

    found = open_approvals()
    if as_json:
        return print_json(plain(found))
    if not found:
        return say("nothing waits for a person")
    now = timezone.now()
    rows = [
        [short(a.id), a.skill, a.tier, a.requested_by, one_line(a.summary, 60),
         relative(a.expires_at, now)]
        for a in found
    ]  # fmt: skip
    console().print(table(["id", "skill", "tier", "asked by", "what", "expires"], rows))
    return None


def _span(text: str) -> timedelta:
    try:
        return timedelta(seconds=seconds(text))
    except BadAmount as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
