"""One running session, as the zygote sees it: its limits, its lease, and its end (C-6, C-15)."""

import math
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autonomy.domain.states import ErrorClass
from autonomy.sdk.skill import Limits
from autonomy.sessions.disk import Disk
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.measures import Usage, family, usage
from autonomy.sessions.orders import End
from autonomy.sessions.output import Output

_BUSY_SECONDS = 0.1
_QUIET_SECONDS = 0.4
_ERRORS = {
    End.FAILED: ErrorClass.TRANSIENT,
    End.TIMEOUT: ErrorClass.TIMEOUT,
    End.RESOURCE: ErrorClass.RESOURCE,
    End.LOST: ErrorClass.LOST,
}


@dataclass(frozen=True)
class Doom:
    """Why a session was ended from outside."""

    ended: End
    limit: str = ""
    error: str = ""


@dataclass
class Running:
    """A session that was forked and has not been buried yet."""

    envelope: Envelope
    pid: int
    pipe: int
    started: float
    renewed: float
    wall_seconds: float
    deadline: float
    output: Output = field(default_factory=Output)
    peak_memory_bytes: int = 0
    cpu_seconds: float = 0.0
    doom: Doom | None = None
    kill_at: float = 0.0
    look_at: float = 0.0
    unsent: int = 0
    network: int | None = None
    own_view: bool = False
    """It sees no processes and no shared memory but its own."""

    def __post_init__(self) -> None:
        told = self.envelope
        folders = (told.folder, told.artifacts, told.temp) if told.temp else ()
        self._disk = Disk(folders, told.limits.disk_bytes, pid=self.pid if self.own_view else 0)

    def watch(self, now: float, *, lease_seconds: float) -> None:
        """End the session if it has crossed a limit, or if its time is over."""
        if self.doom is not None:
            if now >= self.kill_at:
                self.kill()
                self.kill_at = now + _BUSY_SECONDS
            return
        doom = self._overdue(now, lease_seconds) or self._greedy(now)
        if doom:
            self.end(doom)

    def look(self, now: float, wall_seconds: float, *, leased_at: float) -> None:
        """A looker begins a look: from here on time counts."""
        self.started = now
        self.wall_seconds = wall_seconds
        self.deadline = now + wall_seconds
        self.renewed = leased_at
        self.look_at = now + _BUSY_SECONDS
        self.output = Output()

    def rest(self) -> None:
        """A looker has nothing to do, and needs no watching."""
        self.deadline = self.renewed = math.inf

    def end(self, doom: Doom) -> None:
        """Kill the session at once, for this reason if it is the first."""
        self.doom = self.doom or doom
        self.kill_at = 0.0
        self.kill()

    def cancel(self, now: float, *, patience: float) -> None:
        """Tell the session to end; it is killed when its patience is over."""
        if self.doom is None:
            self.doom = Doom(End.CANCELLED, error="cancelled")
            self.kill_at = now + patience
            self._signal(signal.SIGTERM)

    def kill_group(self) -> None:
        """SIGKILL to what is left of its process group, when the session itself has been reaped."""
        _send(os.killpg, self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to the session and its process group."""
        self._signal(signal.SIGKILL)

    def due(self, lease_seconds: float) -> float:
        """When it has to be watched again."""
        if self.doom is not None:
            return self.kill_at
        if self.deadline == math.inf:
            return math.inf
        return min(self.look_at, self.deadline, self.renewed + lease_seconds)

    def printed(self, data: bytes) -> str:
        """Keep what came through the pipe; the text to pass on."""
        most = self.envelope.limits.output_bytes
        if self.output.total + len(data) > most and self.doom is None:
            data = data[: most - self.output.total]
            self.end(Doom(End.RESOURCE, "output", f"more than {most} bytes of output"))
        return self.output.feed(data)

    def buried(self, status: int, cpu_seconds: float, peak: int, now: float) -> dict[str, Any]:
        """All that is known of it at its end."""
        code = os.waitstatus_to_exitcode(status)
        doom = self.doom or self._wasted(cpu_seconds)
        return {
            "ended": doom.ended if doom else None,
            "limit": doom.limit if doom else "",
            "error": doom.error if doom else "",
            "error_class": _ERRORS.get(doom.ended) if doom else None,
            "output": self.output.kept(),
            "output_truncated": self.output.truncated,
            "peak_memory_bytes": max(self.peak_memory_bytes, peak),
            "cpu_seconds": max(self.cpu_seconds, cpu_seconds),
            "seconds": now - self.started,
            "exit_status": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
        }

    def _wasted(self, cpu_seconds: float) -> Doom | None:
        """The kernel's own limit on CPU time may be quicker than we are."""
        most = self.envelope.limits.cpu_seconds
        return _cpu(most) if cpu_seconds > most else None

    def _overdue(self, now: float, lease_seconds: float) -> Doom | None:
        if now - self.renewed > lease_seconds:
            return Doom(End.LOST, error=f"its lease was not renewed for {lease_seconds:g} s")
        if now > self.deadline:
            return Doom(End.TIMEOUT, "wall", f"still running after {self.wall_seconds:g} s")
        return None

    def _greedy(self, now: float) -> Doom | None:
        if now < self.look_at:
            return None
        limits = self.envelope.limits
        pids = family(self.pid)
        seen = usage(pids, enough=limits.memory_bytes)
        busy = seen.cpu_seconds > self.cpu_seconds
        self.look_at = now + (_BUSY_SECONDS if busy else _QUIET_SECONDS)
        self.peak_memory_bytes = max(self.peak_memory_bytes, seen.memory_bytes)
        self.cpu_seconds = max(self.cpu_seconds, seen.cpu_seconds)
        full = self._disk.crossed(now, pids)
        return crossed(limits, seen) or (Doom(End.RESOURCE, "disk", full) if full else None)

    def _signal(self, number: int) -> None:
        _send(os.kill, self.pid, number)
        _send(os.killpg, self.pid, number)


def crossed(limits: Limits, seen: Usage) -> Doom | None:
    """The limit that this usage is beyond."""
    if seen.memory_bytes > limits.memory_bytes:
        return Doom(
            End.RESOURCE,
            "memory",
            f"{seen.memory_bytes} bytes of memory; {limits.memory_bytes} are allowed",
        )
    if seen.processes > limits.processes:
        return Doom(
            End.RESOURCE, "processes", f"{seen.processes} processes; {limits.processes} are allowed"
        )
    return _cpu(limits.cpu_seconds) if seen.cpu_seconds > limits.cpu_seconds else None


def _send(kill: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        kill(target, number)
    except ProcessLookupError:  # it has ended, or has no group of its own yet
        return


def _cpu(most: float) -> Doom:
    return Doom(End.RESOURCE, "cpu", f"more than {most:g} s of CPU time")
