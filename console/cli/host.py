"""`up`, `down`, `status`, `doctor`: the platform on this machine."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from autonomy.domain.explain import spoken
from console.cli.terminal import Json, console, print_json, say, table
from console.domain.visible import visible
from console.host import environment, lifecycle
from console.host.exits import Exit
from console.host.home import Home
from console.host.processes import FLOWER_USER
from console.host.secrets import Secrets
from console.host.state import State
from console.host.usage import MOST_BYTES, MOST_PERCENT, measure

if TYPE_CHECKING:
    from console.host.doctor import Finding

host = typer.Typer()
PANEL = "This machine"


@host.command(rich_help_panel=PANEL)
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what every process prints.")
    ] = False,
    skills: Annotated[
        list[Path] | None, typer.Option(help="A folder of skills to load; repeat for more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start everything: servers, web, engine, beat, nodes, Flower. Ctrl-C ends it."""
    from console.host.supervisor import Supervisor

    environ = lifecycle.with_skills(environment.given(), skills or ())
    home = Home.of(environ)

    def announce(state: State) -> None:
        if as_json:
            print_json({"home": str(home.path), "urls": state.urls, "pid": state.supervisor.pid})
        else:
            _welcome(home, state, detached=detach)

    if detach:
        announce(lifecycle.start_detached(home, environ))
    else:
        Supervisor(home, environ, verbose=verbose).run(announce)


@host.command(rich_help_panel=PANEL)
def down(as_json: Json = False) -> None:
    """End everything; the data stays."""
    home = Home.of(os.environ)
    lifecycle.stop(home)
    if as_json:
        return print_json({"home": str(home.path), "running": False})
    return say(f"ended; the data stays in {home.path}, `autonomy up` goes on with it")


@host.command(rich_help_panel=PANEL)
def status(as_json: Json = False) -> None:
    """Show every process with its memory and CPU, and the sums."""
    home = Home.of(os.environ)
    state = lifecycle.current(home)
    rows = measure(state)
    sums = {
        "pss_bytes": sum(row.pss_bytes for row in rows),
        "cpu_percent": sum(row.cpu_percent for row in rows),
        "most_bytes": MOST_BYTES,
        "most_percent": MOST_PERCENT,
    }
    if as_json:
        shape = {"home": str(home.path), "urls": state.urls, "ready": state.ready}
        return print_json({**shape, "processes": rows, "sums": sums})
    lines = [
        [row.name, row.pid, spoken(row.up_seconds), _megabytes(row.pss_bytes),
         f"{row.cpu_percent:.1f} %", row.deaths or ""]
        for row in rows
    ]  # fmt: skip
    columns = ["process", "#pid", "#up", "#memory", "#CPU", "#deaths"]
    console().print(table(columns, lines, title=f"{home.path}  {state.urls.get('console', '')}"))
    return say(
        f"memory {_megabytes(sums['pss_bytes'])} of {_megabytes(MOST_BYTES)}, "
        f"CPU {sums['cpu_percent']:.1f} % of {MOST_PERCENT:.0f} % of one core when idle"
    )


@host.command(rich_help_panel=PANEL)
def doctor(as_json: Json = False) -> None:
    """Look at everything the platform stands on, and say what to mend."""
    from console.host.doctor import Verdict, examine

    environ = environment.given()
    findings = list(examine(Home.of(environ), environ))
    if as_json:
        print_json(findings)
    else:
        console().print(table(["look", "", "what was seen"], map(_finding, findings)))
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(Exit.UNSOUND)


def _finding(finding: "Finding") -> list[Text | str]:
    style = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.verdict]
    mark = {"ok": "✔ ok", "warn": "! warn", "fail": "✘ fail"}[finding.verdict]
    seen = Text(visible(finding.seen))
    if finding.fix:
        seen.append(f"\n→ {visible(finding.fix)}", style="cyan")
    return [finding.what, Text(mark, style=style), seen]


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.0f} MB"


def _welcome(home: Home, state: State, *, detached: bool) -> None:
    say(f"The platform is up: {state.urls['console']}", style="bold")
    say(f"  workers   {state.urls['flower']}  user {FLOWER_USER}, password in {home.secrets}")
    say(f"  home      {home.path}")
    say(f"  logs      {home.logs}")
    if password := Secrets(home).first_password():
        say(f"  sign in   operator / {password}   (shown once; change it in the console)")
    say("  end it    `autonomy down`" if detached else "  end it    Ctrl-C")
