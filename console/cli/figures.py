"""`figures`: how well the platform did, in figures."""

from typing import Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, console, print_json, say, table
from ledger.domain.figures import DAYS, MOST_DAYS

commands = typer.Typer()


@commands.command(rich_help_panel="Looking")
def figures(
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Over how many days.")] = DAYS,
    skills: Annotated[bool, typer.Option("--skills", help="Of each skill instead.")] = False,
    as_json: Json = False,
) -> None:
    """Say how well the platform did lately: what was verified, what it cost, how long it took."""
    door.enter()
    from console.domain.figures import told
    from ledger.selectors import headline

    if skills:
        return _skills(days, as_json=as_json)
    found = headline(days)
    if as_json:
        return print_json(found)
    say(f"the last {days} days: {found.ended} tasks ended by themselves, {found.failed} failed")
    rows = [[figure.label, figure.value, figure.words] for figure in told(found)]
    console().print(table(["figure", "#value", "what"], rows))
    return None


def _skills(days: int, *, as_json: bool) -> None:
    from console.domain.figures import dollars, percent, seconds
    from ledger.selectors import by_skill

    found = by_skill(days)
    if as_json:
        return print_json(found)
    if not found:
        return say(f"nothing ended by itself in the last {days} days")
    rows = [
        [f.skill, f.ended, percent(f.verified_rate), f.failed, f.retries, dollars(f.dollars),
         seconds(f.run_p50_seconds), seconds(f.run_p95_seconds), seconds(f.queue_p95_seconds)]
        for f in found
    ]  # fmt: skip
    columns = [
        "skill", "#ended", "#verified", "#failed", "#retries", "#cost", "#run p50", "#run p95",
        "#queue p95",
    ]  # fmt: skip
    console().print(table(columns, rows))
    return None
