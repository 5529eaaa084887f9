"""A session's own view of processes, mounts, IPC and network."""

import os

from autonomy.sessions import kernel

# Inside a new user namespace nobody knows any more who they were.
_UID, _GID = os.getuid(), os.getgid()


def fork() -> int:
    """Fork a first process of its own process namespace; raises OSError where that is not allowed.

    An ordinary user needs a user namespace for it, in which nobody but that user exists.
    """
    return kernel.fork(kernel.NEW_PIDS | (0 if is_root() else kernel.NEW_USERS))


def enter() -> None:
    """In the child: see only the own processes and share no memory with others."""
    if not is_root():
        kernel.map_user(_UID, _GID)
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_IPC)
    kernel.own_proc()


def cut_network() -> None:
    """In the child: leave every network but a loopback of its own. What is connected stays so."""
    kernel.unshare(kernel.NEW_NETWORK)
    kernel.loopback_up()


def is_root() -> bool:
    """Whether this process was begun as root, and so can begin sessions as any user."""
    return _UID == 0
