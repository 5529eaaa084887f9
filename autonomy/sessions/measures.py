"""What the processes of a session use, read from /proc."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MOST_PROCESSES = 10_000
_TELLS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()


@dataclass(frozen=True)
class Usage:
    """What was seen in one look."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    processes: int = 0


def family(root: int) -> list[int]:
    """The process and all that descend from it."""
    began = children if _TELLS_CHILDREN else _by_parent().__getitem__
    found = [root]
    for pid in found:
        if len(found) > _MOST_PROCESSES:
            break
        found.extend(began(pid))
    return found


def children(pid: int) -> list[int]:
    """The processes that any thread of this one has begun or inherited."""
    if not _TELLS_CHILDREN:
        return _by_parent()[pid]
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it has ended
        return []
    return [child for thread in threads for child in _begun_by(thread)]


def _begun_by(thread: Path) -> list[int]:
    try:
        return [int(child) for child in (thread / "children").read_bytes().split()]
    except OSError:  # it ended while it was looked at
        return []


def _by_parent() -> defaultdict[int, list[int]]:
    """For kernels that do not tell children: every process of the machine, by its parent."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:  # it ended while it was looked at
                continue
            found[int(fields[1])].append(int(folder.name))
    return found


def usage(pids: Iterable[int], *, enough: int) -> Usage:
    """What the processes use together. Shared memory is told apart only from `enough` bytes on."""
    alive = [stat for stat in map(_stat, pids) if stat]
    memory = sum(stat.resident for stat in alive)
    if memory > enough:
        memory = sum(_proportional(stat.pid) or stat.resident for stat in alive)
    return Usage(memory, sum(stat.cpu_seconds for stat in alive), len(alive))


@dataclass(frozen=True)
class _Stat:
    pid: int
    cpu_seconds: float
    resident: int


def _stat(pid: int) -> _Stat | None:
    """None for a process that has ended."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    cpu = sum(map(int, fields[11:15])) / _TICKS  # its own, and of the children it has waited for
    return _Stat(pid, cpu, int(fields[21]) * _PAGE)


def _proportional(pid: int) -> int:
    """Its memory, with each shared page divided among those who share it."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:"))


def _read(path: str) -> bytes:
    return Path(path).read_bytes()
