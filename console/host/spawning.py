"""Starting a process of the platform, and ending it for certain."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from console.host.account import Account

LAUNCHER = str(Path(__file__).with_name("launch.py"))
_GLANCE = 0.02


def _at_once(_pid: int) -> bool:
    return True


@dataclass(frozen=True)
class Process:
    """What to run, as whom, and how to tell that it is up."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to finish what it does and end."""
    is_ready: Callable[[int], bool] = _at_once
    """Whether the process with that number does its work by now."""


def spawn(process: Process, output: int) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with its output at that descriptor.

    It is asked to end when the calling thread does: call this from the main thread.
    """
    who = process.account
    dropped = (who.uid, who.gid) if who else (-1, -1)
    launch = (*dropped, os.getpid(), process.stop_signal.value)
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", LAUNCHER, *map(str, launch), *process.command],
        env=dict(process.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        cwd="/" if who else None,
    )


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(_GLANCE)
    return True


def end(child: subprocess.Popen[bytes], ask: signal.Signals, *, seconds: float) -> None:
    """Ask a child to end; when it has not in time, kill its whole group."""
    if child.poll() is None:
        child.send_signal(ask)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_group(child.pid)
        child.wait(5)


def kill_group(leader: int) -> None:
    """Kill every process of a group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended already
