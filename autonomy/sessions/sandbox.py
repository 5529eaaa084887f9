"""What is taken from a session's process before the author's code runs in it (C-18)."""

import math
import os
import pwd
import resource
import select
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autonomy.sessions import grants, ground, kernel, landlock, namespaces, seccomp, variables
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.landlock import Ground
from autonomy.sessions.namespaces import is_root
from autonomy.sessions.orders import Purpose
from autonomy.sessions.refusal import Refused
from autonomy.sessions.seccomp import Sockets

_CPU_GRACE_SECONDS = 2
_DATA_GRACE_BYTES = 64 << 20
_ADDRESS_SPACE_BYTES = 64 << 30
_THREADS = 64
_FIRST_TO_DIE = b"600"
_HIGHEST_FD = 65_536
_NO_CORE_DUMP = 1
"""Too small for a file; and where dumps go to a program, which no limit keeps them from, 1 does."""


@dataclass(frozen=True)
class Bounds:
    """What is the same for every session of a zygote."""

    isolation: Isolation
    grounds: tuple[Ground, ...]
    protected: tuple[Path, ...]
    """In no scope."""
    code: tuple[Path, ...]
    """In no scope to write."""
    life: int
    """Reads an end of file when the zygote is gone, because only the zygote holds `held`."""
    held: int
    data_bytes: int
    """What a process has at its start."""
    ways: Mapping[str, str]
    """Variables for sessions with a network; all others are the zygote's own by now."""
    network: int | None = None
    """The one that a session is put into; without one it makes its own."""


def prepared(isolation: Isolation, folders: Collection[Path], protected: Iterable[Path]) -> Bounds:
    """Opened once, before any session: what all of them may read."""
    readable = landlock.ground(ground.readable(folders), landlock.READ)
    devices = landlock.ground(ground.DEVICES, landlock.WRITE)
    if isolation.system_calls:
        for sockets in Sockets:
            seccomp.filter_for(sockets)
    life, held = os.pipe2(os.O_CLOEXEC)
    ways = variables.for_session(os.environ, network=True)
    _clean_environment()
    return Bounds(
        isolation=isolation,
        grounds=(*readable, *devices) if isolation.landlock else (),
        protected=tuple(path.resolve() for path in protected),
        code=tuple(ground.code(folders)),
        life=life,
        held=held,
        data_bytes=_data_bytes(),
        ways=ways,
    )


def forswear(isolation: Isolation) -> None:
    """In the zygote, before it imports a module: what neither it nor a session will ever need."""
    if isolation.system_calls:
        kernel.no_new_privileges()
        seccomp.filter_for(None).install()


def enter(envelope: Envelope, bounds: Bounds) -> None:
    """Leave what the machine shares, except its network, which may still be needed."""
    os.close(bounds.held)
    if bounds.isolation.namespaces:
        namespaces.enter(envelope.uid, memory_bytes=envelope.limits.memory_bytes)
    else:
        kernel.inherit_orphans()


def close(envelope: Envelope, bounds: Bounds, kept: Iterable[int]) -> None:
    """Bound the process for good: from here on the author's code may run."""
    _be_first_to_die()
    if bounds.isolation.namespaces and not envelope.scope.network:
        _cut_network(envelope, bounds.network)
    if bounds.isolation.namespaces and envelope.uid is None:
        _keep_files_as_they_are(envelope)
    _limit(envelope, bounds)
    _become(envelope.uid)
    _settle_in(envelope, bounds)
    _restrict(envelope, bounds)
    _stay_alive_only_with(bounds.life)
    _close_all_but(kept)
    # Last: what was inherited and what the sandbox opens above do not count against the session.
    _bound(resource.RLIMIT_NOFILE, envelope.limits.open_files)
    if bounds.isolation.system_calls:
        seccomp.filter_for(_sockets(envelope, bounds.isolation)).install()


def _sockets(envelope: Envelope, isolation: Isolation) -> Sockets:
    """Those that lead no further than the scope says."""
    if envelope.scope.network:
        return Sockets.NETWORK
    own = envelope.scope.loopback and isolation.namespaces
    return Sockets.LOOPBACK if own else Sockets.PAIRS


def _cut_network(envelope: Envelope, network: int | None) -> None:
    """Into the network that was made for it, or into a new one."""
    if network is None:
        namespaces.cut_network()
    else:
        kernel.enter(network, kernel.NEW_NETWORK)
    if not grants.lie_in(namespaces.SOCKETS, envelope):
        namespaces.hide_sockets()


def _keep_files_as_they_are(envelope: Envelope) -> None:
    """As the node's own user it could change the mode of every file of that user; now of none."""
    try:
        kernel.freeze([*grants.changing(envelope), *namespaces.own_memory()])
    except OSError as error:
        raise Refused(f"what it may change cannot be set apart: {error.strerror}") from None


def _be_first_to_die() -> None:
    """When the machine runs out of memory, sessions go before servers."""
    if kernel.LINUX:
        kernel.write("/proc/self/oom_score_adj", _FIRST_TO_DIE)


def _limit(envelope: Envelope, bounds: Bounds) -> None:
    """Backstops, per process; what counts is measured over the whole session by the zygote."""
    limits = envelope.limits
    writes = 0 if envelope.purpose is Purpose.LOOK else limits.disk_bytes
    wanted = {
        resource.RLIMIT_CORE: _NO_CORE_DUMP,
        resource.RLIMIT_FSIZE: writes,
        resource.RLIMIT_CPU: math.ceil(limits.cpu_seconds) + _CPU_GRACE_SECONDS,
        resource.RLIMIT_DATA: bounds.data_bytes + 2 * limits.memory_bytes + _DATA_GRACE_BYTES,
        resource.RLIMIT_AS: _ADDRESS_SPACE_BYTES + limits.memory_bytes,
    }
    if envelope.uid is not None or (bounds.isolation.counts_processes and not is_root()):
        wanted[resource.RLIMIT_NPROC] = max(2 * limits.processes, limits.processes + _THREADS)
    for kind, most in wanted.items():
        _bound(kind, most)


def _bound(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (bound, bound))


def _become(uid: int | None) -> None:
    """Another user, where one was chosen; no capability, and no way to get one back."""
    if uid is not None:
        gid = group_of(uid)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    kernel.no_new_privileges()
    kernel.drop_capabilities()
    kernel.stay_inspectable()


@cache
def group_of(uid: int) -> int:
    """Its group. Asked for in the zygote, once: to look it up takes as long as to fork."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:  # a user without a name, chosen by set-up
        return uid


def _clean_environment() -> None:
    """In the zygote, once: nothing is inherited but what is listed here and below (C-17)."""
    os.environ.clear()
    os.environ.update(
        PATH=f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        LANG="C.UTF-8",
        PYTHONDONTWRITEBYTECODE="1",
    )
    tempfile.tempdir = None


def _settle_in(envelope: Envelope, bounds: Bounds) -> None:
    """Where the session is at home."""
    os.umask(0o022)  # its own folders are private; what it writes elsewhere is for others to read
    try:
        os.chdir(envelope.folder)
    except OSError as error:
        raise Refused(
            f"user {os.getuid()} cannot enter {envelope.folder}: {error.strerror}"
        ) from None
    user = str(os.getuid())
    os.environ["HOME"] = envelope.folder
    os.environ["TMPDIR"] = envelope.temp or envelope.folder
    os.environ["USER"] = os.environ["LOGNAME"] = user
    if envelope.scope.network:
        os.environ.update(bounds.ways)


def _restrict(envelope: Envelope, bounds: Bounds) -> None:
    isolation = bounds.isolation
    granted = grants.granted(envelope, protected=bounds.protected, code=bounds.code)
    if not isolation.landlock:
        return
    proc = "/proc" if isolation.namespaces else "/proc/self/"
    grounds = [*bounds.grounds, *granted, landlock.opened(proc, landlock.READ)]
    if isolation.namespaces and namespaces.SHARED_MEMORY.is_dir():
        grounds.append(landlock.opened(namespaces.SHARED_MEMORY, landlock.WRITE))
    cut_tcp = not envelope.scope.network and not isolation.namespaces
    landlock.restrict(grounds, version=isolation.landlock, cut_tcp=cut_tcp)


def _stay_alive_only_with(life: int) -> None:
    """End with the zygote; if it went before the kernel was asked for that, end here."""
    kernel.die_with_parent()
    if select.select([life], [], [], 0)[0]:
        raise Refused("the zygote is gone")


def _close_all_but(kept: Iterable[int]) -> None:
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, _HIGHEST_FD)


def _data_bytes() -> int:
    """Private memory of this process that can be written."""
    pages = int(Path("/proc/self/statm").read_text().split()[5]) if kernel.LINUX else 0
    return pages * resource.getpagesize()
