"""The entry point: every command, and what is said when one cannot do its work."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from console.cli import (
    approvals,
    decisions,
    demo,
    figures,
    host,
    ledger,
    level,
    new,
    output,
    system,
    tasks,
    tokens,
)
from console.cli.faults import explain, secrets
from console.cli.terminal import complain, print_json
from console.host.exits import Exit

app = typer.Typer(
    name="autonomy",
    help="Agents and scripts that act on their own, on machines you own, and prove what they did.",
    epilog="Every command takes --json. Shapes and exit codes are in docs/cli.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (
    host.host, tasks.commands, output.commands, approvals.commands, level.commands, system.commands,
    figures.commands, decisions.commands, demo.commands,
):  # fmt: skip
    app.add_typer(commands)
app.add_typer(new.commands, name="new", rich_help_panel="Work")
app.add_typer(ledger.commands, name="ledger", rich_help_panel="Looking")
app.add_typer(level.level, name="level", rich_help_panel="Deciding")
app.add_typer(decisions.weights, name="weights", rich_help_panel="Deciding")
app.add_typer(tokens.commands, name="token", rich_help_panel="Deciding")


@app.callback()
def everywhere(
    home: Annotated[
        Path | None, typer.Option(help="The installation; else AUTONOMY_HOME, else ./var.")
    ] = None,
) -> None:
    """Set what every command needs."""
    if home:
        os.environ["AUTONOMY_HOME"] = str(home.expanduser().resolve())


def run() -> None:
    """Run a command; what is known to go wrong ends in a message, a next step and a code."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told without secrets
        fault = explain(error)
        if fault is None:
            sys.stderr.write(secrets().text(traceback.format_exc()))
            sys.exit(Exit.FAILED)
        if "--json" in sys.argv:
            print_json({"problem": fault.problem, "next": fault.next_step, "exit": fault.exit})
        else:
            complain(fault.problem, fault.next_step)
        sys.exit(fault.exit)
