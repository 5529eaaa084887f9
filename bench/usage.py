"""CPU time and memory of processes with all they have begun, read from the kernel's own accounts.

A process's account holds its own time and, once it has waited for them, that of its children. So
the difference of two sums over the living members of a family is the time of all, also of those
that began and ended between. Ticks are 10 ms: measure many tasks at once. What the kernel does for
nobody in particular, such as tearing down a namespace later, is in no account.
"""

from collections.abc import Iterable

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, of what descends from them, and of what ended."""
    return sum(own_seconds(member) + ended_seconds(member) for member in members(pids))


def members(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes and all that descend from them, each once."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                found[process.pid] = process
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def own_seconds(process: psutil.Process) -> float:
    """What the process itself has used."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def ended_seconds(process: psutil.Process) -> float:
    """What its children had used when they ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0))


def proportional_bytes(pid: int) -> int:
    """Memory of one process; what it shares with others is divided among them."""
    full = psutil.Process(pid).memory_full_info()
    return int(getattr(full, "pss", full.rss))


def own_bytes(pid: int) -> int:
    """Memory that nobody else has: what ending the process would free."""
    return int(psutil.Process(pid).memory_full_info().uss)
