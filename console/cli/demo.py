"""`demo`: the main job, from what a detector saw to a verified outcome."""

import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from console.cli import door
from console.cli.terminal import Json, autonomy, complain, console, print_json, say

if TYPE_CHECKING:
    from console.demo.performing import Answer, Answers
    from console.demo.record import Record
    from console.demo.source import Copy
    from console.host.lifecycle import Platform

commands = typer.Typer()

LIMIT_SECONDS = 900.0


class Decision(StrEnum):
    """What is said, without asking, when the merge wants approval."""

    YES = "yes"
    NO = "no"


@commands.command(rich_help_panel="Work")
def demo(
    repo: Annotated[
        str, typer.Option(envvar="REPO", help="A git repository's path or URL, or name==version.")
    ] = "",
    approve: Annotated[
        Decision | None, typer.Option(envvar="APPROVE", help="Decide the merge without asking.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds after which it is given up.")
    ] = LIMIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Let a steward look after a git repository: survey, checks, fix, report, merge."""
    from console.demo.source import SKILLS, copied, folder_of
    from console.demo.telling import tell
    from console.host.lifecycle import running

    copy, began = copied(repo, door.home()), time.monotonic()
    if not as_json:
        say(f"{copy.source} at {copy.commit[:12]}, copied to {copy.origin}")
    with running(door.home().path, [SKILLS]) as platform:
        if not as_json:
            say(f"the platform is up after {time.monotonic() - began:.1f} s: {platform.url}")
        try:
            record = _performed(copy, platform, approve, seconds=timeout, quiet=as_json)
        except KeyboardInterrupt:
            complain(
                "interrupted", f"what began is kept: {autonomy()} up --skills {SKILLS} goes on"
            )
            raise
    if as_json:
        print_json(record.model_dump(mode="json"))
    else:
        tell(record, folder_of(platform.home))
    raise typer.Exit(record.exit)


def _performed(
    copy: "Copy", platform: "Platform", approve: Decision | None, *, seconds: float, quiet: bool
) -> "Record":
    door.enter()
    from django.utils import timezone

    from console.cli.watching import picture
    from console.demo.performing import perform
    from console.demo.recording import recorded, write
    from console.demo.source import folder_of
    from console.following import ask
    from firewall.selectors import principal

    person, started = ask(door.person), timezone.now()
    with picture(quiet=quiet) as shown:
        run = perform(
            copy,
            person,
            answers=_answers(approve, quiet=quiet),
            shown=shown,
            seconds=seconds,
            while_away=lambda: _if_ended(platform),
        )
    ended = timezone.now()
    record = ask(
        lambda: recorded(
            run,
            copy,
            actor=principal(person),
            console=platform.url,
            logs=platform.home.logs,
            started=started,
            ended=ended,
        )
    )
    write(record, folder_of(platform.home))
    return record


def _answers(approve: Decision | None, *, quiet: bool) -> "Answers":
    from django.utils import timezone

    from console.cli.approvals import show
    from console.demo.performing import Answer
    from console.selectors.approvals import ApprovalLine

    decided = {
        Decision.YES: Answer("approved", "APPROVE=yes was given"),
        Decision.NO: Answer("rejected", "APPROVE=no was given"),
    }

    def answer(asked: ApprovalLine) -> Answer | None:
        if not quiet:
            show(asked, timezone.now())
        if approve:
            return decided[approve]
        return None if quiet or not _somebody_there() else _asked_for(asked.action_digest)

    return answer


def _asked_for(digest: str) -> "Answer | None":
    """What a person types; anything but a yes or a no leaves it open."""
    from console.demo.performing import Answer

    question = f"Approve exactly this, digest {digest[:12]}? [y]es, [n]o, Enter leaves it open: "
    console().print(Text(question), end="")
    typed = sys.stdin.readline().strip().lower()
    if typed in {"y", "yes"}:
        return Answer("approved", "said in the terminal")
    return Answer("rejected", "said in the terminal") if typed in {"n", "no"} else None


def _somebody_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _if_ended(platform: "Platform") -> str:
    from console.demo.source import SKILLS

    if platform.home.is_locked():
        return ""
    again = f"{autonomy()} up --skills {SKILLS}"
    return f"the platform was ended; start it again in another terminal: {again}"
