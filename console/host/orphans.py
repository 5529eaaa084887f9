"""Ending what a killed supervisor left behind: what it had noted, and nothing else."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from console.host import state
from console.host.home import Home
from console.host.identity import Identity
from console.host.spawning import wait_until
from console.host.state import Running

_SECONDS = 10
_SERVERS = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}


def end_orphans(home: Home) -> list[str]:
    """End every process of an earlier run; the servers last. Gives the names of what was found."""
    found = [process for process in _noted(home) if _is_left(process.identity)]
    _end([process for process in found if process.name not in _SERVERS])
    _end([process for process in found if process.name in _SERVERS])
    return [process.name for process in found]


def _noted(home: Home) -> list[Running]:
    last = state.read(home)
    noted = list(last.processes) if last else []
    postgres = _postmaster(home.data / "postgres")
    if postgres and postgres.pid not in {process.identity.pid for process in noted}:
        noted.append(Running("postgres", postgres))
    return noted


def _postmaster(folder: Path) -> Identity | None:
    """The server that noted itself in the data folder, killed before anyone else noted it."""
    try:
        pid = int((folder / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    found = Identity.of(pid)
    ours = found and found.command[:1] and found.command[0].endswith("postgres")
    return found if found and ours and str(folder) in found.command else None


def _is_left(identity: Identity) -> bool:
    return identity.alive() or bool(identity.left_behind())


def _end(processes: Iterable[Running]) -> None:
    left = {process.identity: process.name for process in processes}
    for identity, name in left.items():
        if identity.alive():
            _send(identity.pid, _SERVERS.get(name, signal.SIGTERM))
    wait_until(lambda: not any(identity.alive() for identity in left), seconds=_SECONDS)
    for identity in left:
        stubborn = [identity.pid] if identity.alive() else []
        for pid in [*identity.left_behind(), *stubborn]:
            _send(pid, signal.SIGKILL)
    wait_until(lambda: not any(_is_left(identity) for identity in left), seconds=_SECONDS)


def _send(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return  # it ended by itself


def strays(known: Iterable[int]) -> list[psutil.Process]:
    """Children of this process that it did not start: their own parent died and left them."""
    ours = set(known)
    return [child for child in psutil.Process().children() if child.pid not in ours]
