"""Keeps processes up: notices that one ended, and starts it again, later each time."""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from subprocess import Popen
from time import monotonic

from console.host.identity import Identity
from console.host.logs import Logs
from console.host.orphans import strays
from console.host.serving import spawn_logged
from console.host.spawning import Process, kill_group, wait_until
from console.host.state import Running
from console.host.telling import note

SHORTEST, LONGEST = 0.25, 60.0
"""Seconds before a process is started again: twice as many after each death in a row."""

CALM = 60.0
"""A process that lived this long had a good start: the next death is a first one."""

STRAY_SECONDS = 5.0
_IDLE = 30.0


@dataclass
class Watched:
    """A process that is meant to run."""

    process: Process
    child: Popen[bytes]
    born: float
    deaths: int = 0
    in_a_row: int = 0
    due: float | None = None

    def died(self, now: float) -> float:
        """Note a death; gives the seconds until it is started again."""
        self.in_a_row = 1 if now - self.born > CALM else self.in_a_row + 1
        self.deaths += 1
        delay = min(LONGEST, SHORTEST * 2.0**self.in_a_row)
        self.due = now + delay
        return delay

    def running(self) -> Running | None:
        """What is noted of it; None between a death and the next start."""
        identity = None if self.due else Identity.of(self.child.pid, self.process.command)
        return Running(self.process.name, identity, self.deaths) if identity else None


class Watch:
    """The processes of the platform, in the order of their start."""

    def __init__(self, logs: Logs, *, adopts: bool = False) -> None:
        """With `adopts`, any child of this process that it did not start is one left to it."""
        self._logs = logs
        self._adopts = adopts
        self._watched: list[Watched] = []
        self._strays_due: float | None = None

    def start(self, process: Process) -> None:
        """Start a process and keep it up."""
        self.keep(process, spawn_logged(process, self._logs))

    def keep(self, process: Process, child: Popen[bytes]) -> None:
        """Keep up a process that was started already."""
        self._watched.append(Watched(process, child, monotonic()))

    def look(self) -> bool:
        """Notice deaths and start again what is due; whether anything changed."""
        now = monotonic()
        died = [one for one in self._watched if one.due is None and one.child.poll() is not None]
        for one in died:
            delay = one.died(now)
            self._strays_due = now + STRAY_SECONDS
            note(f"{one.process.name} ended ({_how(one.child)}); it starts again in {delay:g} s")
        due = [one for one in self._watched if one.due is not None and one.due <= now]
        for one in due:
            one.child, one.born, one.due = spawn_logged(one.process, self._logs), now, None
        self._bury()
        self._end_strays(now)
        return bool(died or due)

    def seconds_to_next(self) -> float:
        """How long nothing is due, unless a child ends."""
        dues = [one.due for one in self._watched if one.due is not None]
        if self._strays_due is not None:
            dues.append(self._strays_due)
        return max(0.0, min([*dues, monotonic() + _IDLE]) - monotonic())

    def running(self) -> tuple[Running, ...]:
        """What runs now."""
        return tuple(running for one in self._watched if (running := one.running()))

    def end(self, names: Iterable[str], *, seconds: float) -> None:
        """Ask those processes to end, then kill the groups of those that have not in time."""
        chosen = set(names)
        ending = [one for one in self._watched if one.process.name in chosen]
        self._watched = [one for one in self._watched if one.process.name not in chosen]
        # Asked twice: a process that is just starting may have missed it.
        for _ in range(2):
            for one in ending:
                if one.child.poll() is None:
                    one.child.send_signal(one.process.stop_signal)
            wait_until(
                lambda: all(one.child.poll() is not None for one in ending), seconds=seconds / 2
            )
        for one in ending:
            if one.child.poll() is None:
                note(f"{one.process.name} did not end in time and is killed")
                kill_group(one.child.pid)
                one.child.wait(5)
        wait_until(lambda: not self._kill_strays(), seconds=5)

    @property
    def names(self) -> list[str]:
        """Every process, in the order of their start."""
        return [one.process.name for one in self._watched]

    def _end_strays(self, now: float) -> None:
        """End what a dead process left behind and that has not ended by itself meanwhile."""
        if self._strays_due is None or self._strays_due > now:
            return
        # Those of a stray are left to us when it dies, so look again.
        self._strays_due = now + 1 if self._kill_strays() else None

    def _kill_strays(self) -> bool:
        """Whether there were any."""
        if not self._adopts:
            return False
        self._bury()
        left = strays(one.child.pid for one in self._watched)
        for child in left:
            note(f"process {child.pid} was left behind and is killed")
            child.kill()
        return bool(left)

    def _bury(self) -> None:
        """Let the dead among those that were left to us go."""
        if not self._adopts:
            return
        known = {one.child.pid for one in self._watched}
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while _has_children() and (dead := os.waitid(os.P_ALL, 0, options)):
            if dead.si_pid in known:
                return  # the next look notices it
            os.waitpid(dead.si_pid, os.WNOHANG)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _how(child: Popen[bytes]) -> str:
    code = child.returncode
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
