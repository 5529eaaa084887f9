"""The few system calls that Python has no names for."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from collections.abc import Collection

NEW_MOUNTS = 0x0002_0000
NEW_IPC = 0x0800_0000
NEW_USERS = 0x1000_0000
NEW_PIDS = 0x2000_0000
NEW_NETWORK = 0x4000_0000

_CLONE3 = 435
_SET_CHILD_TID = 0x0100_0000
_CLEAR_CHILD_TID = 0x0020_0000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_TID_ADDRESS = 40
_FILTER = 2
_MOUNT_SETATTR = 442
_AT_FDCWD, _RECURSIVE, _READ_ONLY = -100, 0x8000, 1
_BIND = 0x1000
_CAPABILITIES = 0x2008_0522
_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
_RECURSIVE_PRIVATE = 0x4000 | 0x4_0000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

LINUX = sys.platform == "linux"
_libc = ctypes.PyDLL(None, use_errno=True)


class _CloneArgs(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            *("flags", "pidfd", "child_tid", "parent_tid"),
            *("exit_signal", "stack", "stack_size", "tls"),
        )
    ]


def fork(namespaces: int = 0) -> int:
    """`os.fork` into new namespaces: process namespaces cannot be entered in any other way.

    The C library keeps the thread's id in its own memory and is told of the child's by the kernel,
    as its own fork does it.
    """
    if not namespaces:
        return os.fork()
    tid = _tid_address()
    args = _CloneArgs(
        flags=namespaces | _SET_CHILD_TID | _CLEAR_CHILD_TID,
        child_tid=tid,
        exit_signal=signal.SIGCHLD,
    )
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = syscall(_CLONE3, ctypes.byref(args), ctypes.sizeof(args))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    return checked(pid)


def unshare(namespaces: int) -> None:
    """Leave the namespaces of the parent."""
    checked(_libc.unshare(namespaces))


def enter(namespace: int, kind: int) -> None:
    """Enter the namespace that a descriptor stands for."""
    checked(_libc.setns(namespace, kind))


def map_user(uid: int, gid: int) -> None:
    """In a new user namespace, stay who we were, and nobody else."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        write(f"/proc/self/{name}", text.encode())


def write(path: str, text: bytes) -> None:
    """Into a file of the kernel, without what `open` brings along."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text)
    finally:
        os.close(file)


def own_proc() -> None:
    """In new mount and process namespaces, show only the own processes in /proc."""
    checked(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_RECURSIVE_PRIVATE), None))
    checked(_libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(_NOSUID_NODEV_NOEXEC), None))


def own_memory_at(path: str, *, size: int, uid: int) -> None:
    """In new mount namespaces, put an empty place in memory over a folder."""
    options = f"size={size},mode=700,uid={uid}".encode()
    flags = ctypes.c_ulong(_NOSUID_NODEV_NOEXEC)
    checked(_libc.mount(b"tmpfs", path.encode(), b"tmpfs", flags, options))


def freeze(kept: Collection[str]) -> None:
    """In new mount namespaces, let nothing be changed any more but what is in these folders."""
    for path in kept:
        name = path.encode()
        checked(_libc.mount(name, name, None, ctypes.c_ulong(_BIND), None))
    _set_mounts("/", on=_READ_ONLY, flags=_RECURSIVE)
    for path in kept:
        _set_mounts(path, clear=_READ_ONLY)


def _set_mounts(path: str, *, on: int = 0, clear: int = 0, flags: int = 0) -> None:
    attributes = struct.pack("QQQQ", on, clear, 0, 0)
    name, size = path.encode(), ctypes.c_size_t(len(attributes))
    checked(syscall(_MOUNT_SETATTR, _AT_FDCWD, name, flags, attributes, size))


def loopback_up() -> None:
    """In a new network namespace, bring up the only interface there is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask for this signal when the thread that began this process ends; ask after `setuid`."""
    if LINUX:
        _prctl(_PR_SET_PDEATHSIG, number)


def inherit_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    if LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    """Make set-uid programs ordinary ones, for this process and all that come from it."""
    if LINUX:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def stay_inspectable() -> None:
    """A change of user hides /proc/self from the process itself; undo that."""
    if LINUX:
        _prctl(_PR_SET_DUMPABLE, 1)


def drop_capabilities() -> None:
    """Give up every capability; with `no_new_privileges` they do not come back."""
    if LINUX:
        header = struct.pack("Ii", _CAPABILITIES, 0)
        checked(_libc.capset(header, bytes(24)))


def filter_system_calls(program: object) -> None:
    """Have the kernel ask this program before every system call; takes a pointer to it."""
    checked(_libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), program, None, None))


def syscall(number: int, *args: object) -> int:
    """A system call by number; -1 on failure."""
    return int(_libc.syscall(ctypes.c_long(number), *args))


def checked(result: int) -> int:
    """The result of a call; raises OSError for -1."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _tid_address() -> int:
    """Where the C library keeps the id of this thread; raises OSError where it cannot be told."""
    address = ctypes.c_ulong()
    checked(_libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), *[ctypes.c_ulong(0)] * 3))
    if ctypes.c_int.from_address(address.value).value != os.getpid():
        raise OSError("the C library does not keep the thread's id where the kernel says")
    return address.value


def _prctl(option: int, value: int) -> int:
    return checked(_libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3))
