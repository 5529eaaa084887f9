"""`up`, `down`, `status`, `doctor`: the platform on this machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from console.cli.terminal import Json, print_json, say
from console.host import environment, lifecycle
from console.host.home import Home
from console.host.processes import FLOWER_USER
from console.host.secrets import Secrets
from console.host.state import State

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


def _welcome(home: Home, state: State, *, detached: bool) -> None:
    say(f"The platform is up: {state.urls['console']}", style="bold")
    say(f"  workers   {state.urls['flower']}  user {FLOWER_USER}, password in {home.secrets}")
    say(f"  home      {home.path}")
    say(f"  logs      {home.logs}")
    if password := Secrets(home).first_password():
        say(f"  sign in   operator / {password}   (shown once; change it in the console)")
    say("  end it    `autonomy down`" if detached else "  end it    Ctrl-C")
