"""How far sessions can be cut off on this machine (C-18): found by trying, told in words."""

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import autonomy
from autonomy.domain.isolation import Rung
from autonomy.sessions import ground, kernel, landlock, namespaces, seccomp
from autonomy.sessions.seccomp import Sockets

_PROBE_SECONDS = 20
_FIRST_KERNEL_THAT_COUNTS = (5, 14)

CONTAINED: dict[int, str] = {
    0: "run-aways and leftovers: time, memory, processes, disk, output, children that stay behind",
    1: "also files: a session reads the system, its own folders and its scope, and writes less",
    2: "also the network: a session has none unless it declares one, and cannot reach the node",
    3: "also other processes, and the parts of the kernel that no session needs",
}


@dataclass(frozen=True)
class Isolation:
    """What was found."""

    level: int
    landlock: int
    """The version of its interface; 0 where there is none."""
    namespaces: bool
    system_calls: bool
    """The kernel asks a filter which system calls a session may make."""
    own_users: bool
    """Sessions can run as other users than the node, because it runs as root."""
    counts_processes: bool
    """The kernel counts a session's processes apart from the user's others."""
    facts: tuple[str, ...] = ()

    @property
    def contains(self) -> tuple[str, ...]:
        """What cannot get out of a session, in words."""
        return tuple(CONTAINED[level] for level in range(self.level + 1))

    def as_json(self) -> dict[str, Any]:
        """The form that is sent."""
        return asdict(self)

    def at_most(self, level: int) -> "Isolation":
        """As if the machine allowed no more than this level."""
        return replace(
            self,
            level=min(self.level, level),
            landlock=self.landlock if level >= Rung.FILES else 0,
            namespaces=self.namespaces and level >= Rung.NETWORK,
            system_calls=self.system_calls and level >= Rung.SYSCALLS,
            counts_processes=self.counts_processes and level >= Rung.NETWORK,
        )

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Isolation":
        """What was sent."""
        return cls(**{**found, "facts": tuple(found["facts"])})


def detect(uids: Iterable[int] = ()) -> Isolation:
    """What this machine allows, and what sessions of these users could not read. Takes 0.2 s.

    Tried in a process of its own: one with threads cannot try it.
    """
    root = str(Path(autonomy.__file__).parent.parent)
    answer = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-P", "-m", "autonomy.sessions.isolation", *map(str, uids)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": root},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PROBE_SECONDS,
        check=True,
    )
    return Isolation.from_json(json.loads(answer.stdout))


def probe(uids: Iterable[int] = ()) -> Isolation:
    """The same, in this process, which must have a single thread."""
    version = landlock.abi()
    obstacle, unfiltered = _obstacle(), _unfiltered()
    root = namespaces.is_root()
    return Isolation(
        level=_level(files=version > 0, view=not obstacle, system_calls=not unfiltered),
        landlock=version,
        namespaces=not obstacle,
        system_calls=not unfiltered,
        own_users=root,
        counts_processes=_kernel_version() >= _FIRST_KERNEL_THAT_COUNTS,
        facts=(*_told(version, obstacle, unfiltered, root=root), *_hidden_from(uids)),
    )


def _level(*, files: bool, view: bool, system_calls: bool) -> Rung:
    """Each rung stands on the one below; the network can be cut off in two ways."""
    if not files:
        return Rung.PROCESS
    if view and system_calls:
        return Rung.SYSCALLS
    return Rung.NETWORK if view or system_calls else Rung.FILES


def unreadable(paths: Iterable[Path], uid: int) -> list[Path]:
    """Those of the paths that this user cannot use; needs root and a single thread."""
    wanted = list(paths)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _exit_after(lambda: _tell_unreadable(wanted, uid, write))
    os.close(write)
    with os.fdopen(read) as told:
        numbers = told.read().split()
    os.waitpid(pid, 0)
    return [wanted[int(number)] for number in numbers]


def _tell_unreadable(paths: list[Path], uid: int, write: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    hidden = [n for n, path in enumerate(paths) if not os.access(path, os.R_OK)]
    os.write(write, " ".join(map(str, hidden)).encode())


def _obstacle() -> str:
    """Why a session cannot have namespaces of its own; empty where it can."""
    if not kernel.LINUX:
        return f"{sys.platform} has none"
    try:
        pid = namespaces.fork()
    except OSError as error:
        return f"the kernel refuses ({error.strerror}); a container may have to be given the right"
    if pid == 0:
        _exit_after(_try_namespaces)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return f"they cannot be set up ({os.strerror(status)})" if status else ""


def _try_namespaces() -> None:
    namespaces.enter()
    namespaces.cut_network()


def _unfiltered() -> str:
    """Why the system calls of a session cannot be filtered; empty where they can."""
    try:
        made = seccomp.filter_for(Sockets.PAIRS)
    except OSError as error:
        return str(error.strerror)
    pid = os.fork()
    if pid == 0:
        _exit_after(lambda: _try_filter(made))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return f"the kernel does not take the filter ({os.strerror(status)})" if status else ""


def _try_filter(made: seccomp.Filter) -> None:
    """Take it, and see that it holds."""
    kernel.no_new_privileges()
    made.install()
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError:
        return
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def _exit_after(act: Callable[[], None]) -> None:
    """In a forked child: do it, and leave with its error as status."""
    status = 255
    try:
        act()
        status = 0
    except OSError as error:
        status = error.errno or 255
    finally:
        os._exit(status)


def _told(version: int, obstacle: str, unfiltered: str, *, root: bool) -> list[str]:
    files = (
        f"Landlock (version {version}) keeps sessions to their files"
        if version
        else "Landlock is not there: sessions can read and write all that their user can"
    )
    view = (
        f"sessions have no view of processes and network of their own: {obstacle}"
        if obstacle
        else "sessions see only their own processes and have no network unless declared"
    )
    calls = (
        f"sessions may make every system call: {unfiltered}"
        if unfiltered
        else "system calls that no session needs are refused"
        + (", and with them every network that is not declared" if obstacle else "")
    )
    users = (
        "sessions can run as users of their own"
        if root
        else "sessions run as the node's own user; start it as root to keep them apart by user"
    )
    return [files, view, calls, users]


def _hidden_from(uids: Iterable[int]) -> list[str]:
    """What sessions of these users need and cannot read."""
    if not namespaces.is_root():
        return []
    facts = []
    for uid in uids:
        hidden = ", ".join(str(path) for path in unreadable(ground.readable(()), uid))
        if hidden:
            facts.append(f"user {uid} cannot read {hidden}: put the environment where it can")
    return facts


def _kernel_version() -> tuple[int, ...]:
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(map(int, sys.argv[1:])).as_json()))
