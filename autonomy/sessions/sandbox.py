"""What is taken from a session's process before the author's code runs in it (C-18)."""

import math
import os
import pwd
import resource
import select
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autonomy.domain.isolation import FOREIGN_CODE, told
from autonomy.sessions import ground, kernel, landlock, namespaces, seccomp, variables
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.landlock import Ground
from autonomy.sessions.namespaces import is_root
from autonomy.sessions.orders import Purpose
from autonomy.sessions.seccomp import Sockets

_CPU_GRACE_SECONDS = 2
_DATA_GRACE_BYTES = 64 << 20
_ADDRESS_SPACE_BYTES = 64 << 30
_THREADS = 64
_FIRST_TO_DIE = "600"
_HIGHEST_FD = 65_536


class Refused(Exception):
    """The session cannot be bounded as it must be; nothing of it was run."""


class TooWeak(Refused):
    """This machine cuts sessions off less than this one asks for."""


@dataclass(frozen=True)
class Bounds:
    """What is the same for every session of a zygote."""

    isolation: Isolation
    grounds: tuple[Ground, ...]
    protected: tuple[Path, ...]
    life: int
    """Reads an end of file when the zygote is gone, because only the zygote holds `held`."""
    held: int
    data_bytes: int
    """What a process has at its start."""
    network: int | None = None
    """The one that a session is put into; without one it makes its own."""


def prepared(isolation: Isolation, folders: Iterable[Path], protected: Iterable[Path]) -> Bounds:
    """Opened once, before any session: what all of them may read."""
    readable = landlock.ground(ground.readable(folders), landlock.READ)
    devices = landlock.ground(ground.DEVICES, landlock.WRITE)
    if isolation.system_calls:
        for sockets in Sockets:
            seccomp.filter_for(sockets)
    life, held = os.pipe2(os.O_CLOEXEC)
    return Bounds(
        isolation=isolation,
        grounds=(*readable, *devices) if isolation.landlock else (),
        protected=tuple(path.resolve() for path in protected),
        life=life,
        held=held,
        data_bytes=_data_bytes(),
    )


def check(envelope: Envelope, isolation: Isolation) -> None:
    """Before anything is begun: raises Refused for what cannot be bounded as it must be."""
    if envelope.uid is not None and not is_root():
        raise Refused(f"only root can start a session as user {envelope.uid}")
    least = max(envelope.isolation, FOREIGN_CODE if envelope.foreign_code else 0)
    if isolation.level < least:
        raise TooWeak(
            f"it needs isolation {told(least)}, and this node offers {told(isolation.level)}; "
            "see `autonomy doctor` for what is missing, or run it on another node"
        )


def enter(envelope: Envelope, bounds: Bounds) -> None:
    """Leave what the machine shares, except its network, which may still be needed."""
    os.close(bounds.held)
    if bounds.isolation.namespaces:
        namespaces.enter(envelope.uid)
    else:
        kernel.inherit_orphans()


def close(envelope: Envelope, bounds: Bounds, kept: Iterable[int]) -> None:
    """Bound the process for good: from here on the author's code may run."""
    _be_first_to_die()
    if bounds.isolation.namespaces and not envelope.scope.network:
        _cut_network(envelope, bounds.network)
    _limit(envelope, bounds)
    _become(envelope.uid)
    _clean_environment(envelope)
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
    if not isolation.namespaces:
        return Sockets.PAIRS
    return Sockets.LOOPBACK if envelope.scope.loopback else Sockets.LOCAL


def _cut_network(envelope: Envelope, network: int | None) -> None:
    """Into the network that was made for it, or into a new one."""
    if network is None:
        namespaces.cut_network()
    else:
        kernel.enter(network, kernel.NEW_NETWORK)
    if not _needs(namespaces.SOCKETS, envelope):
        namespaces.hide_sockets()


def _be_first_to_die() -> None:
    """When the machine runs out of memory, sessions go before servers."""
    if kernel.LINUX:
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_DIE)


def _limit(envelope: Envelope, bounds: Bounds) -> None:
    """Backstops, per process; what counts is measured over the whole session by the zygote."""
    limits = envelope.limits
    writes = 0 if envelope.purpose is Purpose.LOOK else limits.disk_bytes
    wanted = {
        resource.RLIMIT_CORE: 0,
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


def _clean_environment(envelope: Envelope) -> None:
    """Nothing inherited but what is listed here (C-17)."""
    os.umask(0o022)  # its own folders are private; what it writes elsewhere is for others to read
    try:
        os.chdir(envelope.folder)
    except OSError as error:
        raise Refused(
            f"user {os.getuid()} cannot enter {envelope.folder}: {error.strerror}"
        ) from None
    ways = variables.for_session(os.environ, network=envelope.scope.network)
    os.environ.clear()
    os.environ.update(
        ways,
        PATH=f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        HOME=envelope.folder,
        TMPDIR=envelope.temp or envelope.folder,
        LANG="C.UTF-8",
        USER=str(os.getuid()),
        LOGNAME=str(os.getuid()),
        PYTHONDONTWRITEBYTECODE="1",
    )
    tempfile.tempdir = None


def _restrict(envelope: Envelope, bounds: Bounds) -> None:
    isolation = bounds.isolation
    if not isolation.landlock:
        return
    proc = "/proc" if isolation.namespaces else "/proc/self/"
    grounds = [*bounds.grounds, landlock.opened(proc, landlock.READ)]
    if isolation.namespaces and namespaces.SHARED_MEMORY.is_dir():
        grounds.append(landlock.opened(namespaces.SHARED_MEMORY, landlock.WRITE))
    grounds += _granted(envelope, bounds.protected)
    cut_tcp = not envelope.scope.network and not isolation.namespaces
    landlock.restrict(grounds, version=isolation.landlock, cut_tcp=cut_tcp)


def _granted(envelope: Envelope, protected: tuple[Path, ...]) -> list[Ground]:
    """The folders of the session, and its scope. Only a run writes."""
    change = landlock.WRITE if envelope.purpose is Purpose.RUN else landlock.READ
    scope = envelope.scope
    paths = [(path, landlock.READ) for path in scoped(scope.read, protected, scope.within)]
    paths += [(path, change) for path in scoped(scope.write, protected, scope.within)]
    if envelope.purpose is not Purpose.LOOK:
        paths += [(Path(path), landlock.READ) for path in envelope.readable]
        paths += [(Path(path), change) for path in (envelope.folder, envelope.artifacts)]
        paths.append((Path(envelope.temp), landlock.WRITE))
    return [_opened(path, access) for path, access in paths]


def _needs(folder: Path, envelope: Envelope) -> bool:
    """Whether anything that the session is given lies in the folder."""
    given = (envelope.folder, envelope.artifacts, envelope.temp, *envelope.readable)
    named = (*envelope.scope.read, *envelope.scope.write)
    return any(Path(path).is_relative_to(folder) for path in (*given, *named))


def scoped(
    patterns: Iterable[str], protected: tuple[Path, ...], within: Iterable[tuple[str, str]] = ()
) -> list[Path]:
    """The paths a scope names: `inbox/**` is the folder. Raises Refused for what no scope holds."""
    tops = dict(within)
    return [_scoped(pattern, protected, tops.get(pattern, "")) for pattern in patterns]


def _scoped(pattern: str, protected: tuple[Path, ...], top: str) -> Path:
    path = Path(pattern.removesuffix("/**").removesuffix("/*"))
    if not path.is_absolute():
        raise Refused(f"the scope names {pattern!r}; only absolute paths can be granted")
    real = path.resolve()
    if top and not real.is_relative_to(Path(top).resolve()):
        raise Refused(f"the scope names {pattern!r}; a link there leads out of {top}, to {real}")
    for taboo in protected:
        if real.is_relative_to(taboo) or taboo.is_relative_to(real):
            raise Refused(f"the scope names {pattern!r}; {taboo} is outside every scope")
    return real


def _opened(path: Path, access: int) -> Ground:
    try:
        return landlock.opened(path, access)
    except OSError as error:
        raise Refused(f"{path} cannot be granted: {error.strerror}") from None


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
