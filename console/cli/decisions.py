"""`weights`, `replay`: what the engine weighs with, and its stored decisions once more."""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli import door
from console.cli.terminal import Json, complain, console, plain, print_json, say
from console.host.exits import Exit

if TYPE_CHECKING:
    from autonomy.domain.replay import Sum, WhatIf
    from autonomy.engine.selectors.replaying import Replay

commands = typer.Typer()
weights = typer.Typer(help="What the engine weighs with.", invoke_without_command=True)


class BadFile(Exception):
    """The file is not JSON, or cannot be read; the message says why."""


@weights.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """The weights in force, and newer versions that are refused."""
    if context.invoked_subcommand:
        return None
    door.enter()
    from autonomy.engine.selectors import in_force

    door.person()
    found = in_force()
    values = {**found.weights.to_json(), "trust": found.rules.to_json()}
    if as_json:
        return print_json(
            {"version": found.version, "values": values, "refused": dict(found.refused)}
        )
    say(f"version {found.version}" if found.version else "as shipped", style="bold")
    for name, value in values.items():
        say(f"  {name}: {value}")
    for version, why in found.refused.items():
        complain(f"version {version} is not used: {why}")
    return None


@weights.command("set")
def set_weights(
    file: Annotated[Path, typer.Argument(help="JSON; what it leaves out stays as it is.")],
    reason: Annotated[str, typer.Option(help="Kept with the version.")],
    as_json: Json = False,
) -> None:
    """Set a new version of the weights. It is checked first; the next pass weighs with it."""
    door.enter()
    from autonomy.engine.services import weighting

    made = weighting.set_weights(door.person(), _json(file), reason=reason)
    if as_json:
        return print_json({"version": made.version, "values": {**made.values, "trust": made.trust}})
    say(f"✔ version {made.version} of the weights is in force")
    return None


@commands.command(rich_help_panel="Looking")
def replay(
    since: Annotated[str, typer.Option(help="Only passes of the last 2h, 7d …")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 10_000,
    other: Annotated[
        Path | None, typer.Option("--weights", help="JSON: what would these have chosen?")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide stored passes again and report any that come out different."""
    door.enter()
    from django.utils import timezone
    from rich.progress import Progress

    from autonomy.domain.amounts import seconds
    from autonomy.engine.selectors.replaying import replay as again

    door.person()
    began = timezone.now() - timedelta(seconds=seconds(since)) if since else None
    screen = console(errors=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        shown = bar.add_task("passes decided again", total=None)
        found = again(
            since=began,
            limit=limit,
            other=_others(other),
            progress=lambda done, all_: bar.update(shown, completed=done, total=all_),
        )
    if as_json:
        print_json({"ok": found.ok, **plain(found)})
    else:
        _tell(found)
    if not found.ok:
        raise typer.Exit(Exit.UNSOUND)


def _others(file: Path | None) -> Any:
    """The weights in force with those of the file in their place; raises BadWeights."""
    if file is None:
        return None
    from autonomy.domain.priority import weights_from
    from autonomy.engine.selectors import in_force

    given = _json(file)
    now = in_force().weights.to_json()
    return weights_from({**now, **given} if isinstance(given, dict) else given)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BadFile(f"{file} cannot be read as JSON: {error}") from None


def _tell(found: "Replay") -> None:
    for one in found.different:
        complain(f"pass {one.id} of {one.at:%F %T}: {'; '.join(one.problems)}")
    if found.ok:
        say(f"✔ {found.equal} passes with {found.dispatches} dispatches come out the same")
    if found.other_core:
        say(f"  {found.other_core} were decided by another version of the code, which differs")
    if found.what_if:
        _tell_what_if(found.what_if)


def _tell_what_if(found: "WhatIf") -> None:
    say("With the other weights:", style="bold")
    say(f"  the same node      {_summed(found.alike)}")
    say(f"  another node       {_summed(found.moved)}")
    if found.moved.decisions:
        likely = found.elsewhere.likely / found.elsewhere.decisions / 10_000
        say(f"    there {likely:.1f} % were likely to succeed, by the records of that time")
    say(f"  in a later pass    {_summed(found.later)}, {found.earlier} others before them")
    say("  only what the passes looked at is known: tasks far behind are not in the records")
    if _speaks_for(found):
        say("  the outcomes speak for them   autonomy weights set FILE --reason …")


def _summed(part: "Sum") -> str:
    if not part.decisions:
        return "none"
    likely = f"{part.likely / part.decisions / 10_000:.1f} % likely to succeed"
    if not part.ended:
        return f"{part.decisions} ({likely}; none has ended there yet)"
    rate, mean = 100 * part.verified / part.ended, part.seconds / part.ended
    return f"{part.decisions} ({likely}; {rate:.1f} % of {part.ended} verified, {mean:.1f} s each)"


def _speaks_for(found: "WhatIf") -> bool:
    """Whether what the others would have sent elsewhere went worse than the rest."""
    moved, alike = found.moved, found.alike
    if min(moved.ended, alike.ended) < _ENOUGH:
        return False
    worse = moved.verified * alike.ended < alike.verified * moved.ended
    return worse and found.elsewhere.likely > moved.likely


_ENOUGH = 20
"""Outcomes on each side, below which nothing is said."""
