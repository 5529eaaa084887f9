"""What the platform costs this machine: memory and CPU, each process with all it has begun."""

from dataclasses import dataclass
from time import sleep, time

import psutil

from console.host.identity import Identity
from console.host.state import Running, State

MOST_BYTES = 700_000_000
MOST_PERCENT = 5.0
"""What everything together may take while idle (O-7)."""

MEASURED_SECONDS = 1.0


@dataclass(frozen=True)
class Usage:
    """One process of the platform and what descends from it."""

    name: str
    pid: int
    up_seconds: float
    pss_bytes: int
    """Resident memory; what several processes share is divided among them."""
    cpu_percent: float
    processes: int
    deaths: int


def measure(state: State, *, seconds: float = MEASURED_SECONDS) -> list[Usage]:
    """What each process used over that time. A process that ends meanwhile is left out."""
    # The supervisor's children are rows of their own.
    families = [_Family(Running("supervisor", state.supervisor), descendants=False)]
    families += [_Family(process, descendants=True) for process in state.processes]
    sleep(seconds)
    return [family.usage(seconds) for family in families if family.members]


class _Family:
    """A process and what descends from it, with the CPU time they had used when first seen."""

    def __init__(self, process: Running, *, descendants: bool) -> None:
        self._process = process
        self.members = _members(process.identity, descendants=descendants)
        self._before = sum(map(_cpu_seconds, self.members))

    def usage(self, seconds: float) -> Usage:
        used = max(0.0, sum(map(_cpu_seconds, self.members)) - self._before)
        return Usage(
            name=self._process.name,
            pid=self._process.identity.pid,
            up_seconds=time() - self._process.identity.started,
            pss_bytes=sum(map(_memory, self.members)),
            cpu_percent=100 * used / seconds,
            processes=len(self.members),
            deaths=self._process.deaths,
        )


def _members(identity: Identity, *, descendants: bool) -> list[psutil.Process]:
    if not identity.alive():
        return []
    try:
        root = psutil.Process(identity.pid)
        return [root, *(root.children(recursive=True) if descendants else ())]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    return int(getattr(full, "pss", full.rss))  # only Linux divides what is shared
