"""`output`: what a task prints, also while it runs."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, complain, plain, print_json
from console.domain.visible import visible

if TYPE_CHECKING:
    from console.selectors.output import OutputLine

commands = typer.Typer()


@commands.command(rich_help_panel="Looking")
def output(
    task: Annotated[str, typer.Argument(help="Its id, or the end of it.")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on until it is over.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds to follow at most.")] = 3600,
    as_json: Json = False,
) -> None:
    """Show what a task prints: the newest of its sessions, or with --follow all that come."""
    door.enter()
    from console.selectors.output import latest
    from console.selectors.tasks import named

    seen = latest(named(task).pk)
    if follow:
        _follow(seen, timeout, as_json=as_json)
    elif as_json:
        print_json(seen)
    elif seen.session_id is None:
        complain("it has not run yet", "--follow waits for it; `autonomy explain` says why")
    else:
        _write(seen)


def _follow(seen: "OutputLine", seconds: float, *, as_json: bool) -> None:
    """Show what comes, attempt by attempt; raises TookTooLong."""
    from console.following import Away, follow
    from console.selectors.output import after

    _show(seen, None, as_json=as_json)
    if seen.over:
        return
    last = seen

    def look() -> "OutputLine":
        return after(last)

    for now in follow(look, until=lambda line: line.over, seconds=seconds):
        if not isinstance(now, Away):
            _show(now, last, as_json=as_json)
            last = now


def _show(now: "OutputLine", before: "OutputLine | None", *, as_json: bool) -> None:
    """What is new; a line says where another attempt begins."""
    if as_json:
        if before is None or now.text or now.ended != before.ended or now.over:
            sys.stdout.write(json.dumps(plain(now)) + "\n")
    else:
        if before and before.session_id and now.session_id != before.session_id:
            complain(f"{now.purpose} {now.attempt}")
        _write(now)
    sys.stdout.flush()


def _write(line: "OutputLine") -> None:
    sys.stdout.write(visible(line.text))
