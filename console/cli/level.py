"""`stop`, `resume`, `level`: how much may run alone."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, print_json, say
from firewall.domain.levels import Level

if TYPE_CHECKING:
    from console.selectors.level import LevelLine

commands = typer.Typer()
level = typer.Typer(help="How much may run alone, and who says so.", invoke_without_command=True)
PANEL = "Deciding"
Why = Annotated[str, typer.Option(help="Kept with the turn, and told to everybody.")]


@commands.command(rich_help_panel=PANEL)
def stop(
    now: Annotated[bool, typer.Option("--now", help="End what runs as well.")] = False,
    reason: Why = "stopped from the command line",
    as_json: Json = False,
) -> None:
    """Stop everything: nothing starts from now on. What runs goes on, unless --now."""
    door.enter()
    from autonomy.engine.services.stopping import stop as press
    from console.selectors.level import level_line

    _, ended = press(door.person(), reason=reason, now=now)
    if as_json:
        return print_json({"level": level_line(), "told_to_end": ended})
    say("✔ nothing starts any more", style="bold")
    if now:
        say(f"  {ended} sessions were told to end; each is ended within 16 seconds")
    say("  go on   autonomy resume")
    return None


@commands.command(rich_help_panel=PANEL)
def resume(reason: Why = "resumed from the command line", as_json: Json = False) -> None:
    """Go on after a stop, under the ceiling from before it."""
    door.enter()
    from console.selectors.level import level_line
    from firewall import services

    services.resume(door.person(), reason=reason)
    _tell(level_line(), as_json=as_json)


@level.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """How much may run alone, who says so, and from which numbers."""
    if context.invoked_subcommand:
        return
    door.enter()
    from console.selectors.level import level_line

    door.person()
    _tell(level_line(), as_json=as_json)


@level.command("set")
def set_level(
    ceiling: Annotated[Level, typer.Argument(help="The most that may run alone.")],
    reason: Annotated[str, typer.Option(help="Kept with the turn.")],
    as_json: Json = False,
) -> None:
    """Set the ceiling: the platform may lower itself below it, and never rise above it."""
    door.enter()
    from console.selectors.level import level_line
    from firewall import services

    services.set_ceiling(door.person(), ceiling, reason=reason)
    _tell(level_line(), as_json=as_json)


def _tell(line: "LevelLine", *, as_json: bool) -> None:
    if as_json:
        return print_json(line)
    say(f"{line.level}: {line.words}", style="bold")
    say(f"  ceiling   {line.ceiling}{_by(line.ceiling_by, line.ceiling_reason)}")
    say(f"  evidence  {line.chosen}{_by('', line.chosen_reason)}")
    for name, value in line.evidence.items():
        say(f"    {name.replace('_', ' ')}: {value}")
    return None


def _by(who: str, why: str) -> str:
    said = ": ".join(part for part in (who, why) if part)
    return f" ({said})" if said else ""
