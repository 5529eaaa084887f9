"""`map` and `nodes`: what is declared, and where it can run."""

from typing import Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, console, print_json, say, table
from console.domain.visible import one_line

commands = typer.Typer()
PANEL = "Looking"


@commands.command("map", rich_help_panel=PANEL)
def system_map(
    kind: Annotated[str, typer.Option(help="Only skill, detector, service …")] = "",
    as_json: Json = False,
) -> None:
    """List every declared component: its owner, tier, and last verified success."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.system import components

    found = components(kind=kind)
    if as_json:
        return print_json(found)
    if not found:
        return say("nothing is declared; AUTONOMY_SKILLS names the folders that are loaded")
    now = timezone.now()
    rows = [
        [c.kind, c.name, c.tier, c.owner, relative(c.last_verified_at, now) or "never",
         one_line("; ".join(c.flags)) or one_line(c.description)]
        for c in found
    ]  # fmt: skip
    console().print(table(["kind", "name", "tier", "owner", "verified", "what"], rows))
    return None


@commands.command(rich_help_panel=PANEL)
def nodes(as_json: Json = False) -> None:
    """List the nodes: which live, what they may run, how full they are."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors import system

    found = system.nodes()
    if as_json:
        return print_json(found)
    if not found:
        return say("no node has joined; `autonomy up` starts some")
    now = timezone.now()
    rows = [
        [n.name, _standing(alive=n.alive, paused=n.paused, draining=n.draining),
         ",".join(map(str, n.tiers)), f"{n.busy}/{n.slots}", n.isolation, n.components,
         relative(n.seen_at, now)]
        for n in found
    ]  # fmt: skip
    columns = ["node", "state", "tiers", "busy", "isolation", "#components", "seen"]
    console().print(table(columns, rows))
    return None


def _standing(*, alive: bool, paused: bool, draining: bool) -> str:
    if not alive:
        return "silent"
    return "paused" if paused else "draining" if draining else "alive"
