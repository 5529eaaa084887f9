"""A session's own view of processes, mounts, IPC and network."""

import os
from pathlib import Path

from autonomy.sessions import kernel

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- a private one is put over it
SOCKETS = Path("/run")
_SHARED_BYTES = 64 << 20
_HIDDEN_BYTES = 4096  # 0 would stand for no limit

# Inside a new user namespace nobody knows any more who they were.
_UID, _GID = os.getuid(), os.getgid()


def fork() -> int:
    """Fork a first process of its own process namespace; raises OSError where that is not allowed.

    An ordinary user needs a user namespace for it, in which nobody but that user exists.
    """
    return kernel.fork(kernel.NEW_PIDS | (0 if is_root() else kernel.NEW_USERS))


def enter(uid: int | None = None, *, memory_bytes: int = _SHARED_BYTES) -> None:
    """In the child: see only the own processes, and share memory with nobody else."""
    if not is_root():
        kernel.map_user(_UID, _GID)
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_IPC)
    kernel.own_proc()
    for place in own_memory():
        owner = _UID if uid is None else uid
        kernel.own_memory_at(place, size=min(memory_bytes, _SHARED_BYTES), uid=owner)


def own_memory() -> list[str]:
    """Where memory is shared, if anywhere."""
    return [str(SHARED_MEMORY)] if SHARED_MEMORY.is_dir() else []


def cut_network() -> None:
    """In the child: leave every network but a loopback of its own. What is connected stays so."""
    kernel.unshare(kernel.NEW_NETWORK)
    kernel.loopback_up()


def hide_sockets() -> None:
    """In the child: hide the folder in which the services of a machine listen."""
    if SOCKETS.is_dir():
        kernel.own_memory_at(str(SOCKETS), size=_HIDDEN_BYTES, uid=_UID)


def is_root() -> bool:
    """Whether this process was begun as root, and so can begin sessions as any user."""
    return _UID == 0
