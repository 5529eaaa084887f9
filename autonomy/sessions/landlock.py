"""Landlock: which files, which signals, and whether any TCP, for a process and all its children."""

import ctypes
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autonomy.sessions import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_CHAR, _MAKE_DIR, _MAKE_REG = 16, 32, 64, 128, 256
_MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = 512, 1024, 2048, 4096
_REFER, _TRUNCATE, _IOCTL_DEV = 8192, 16384, 32768

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG
WRITE |= _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM | _REFER | _TRUNCATE
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
_FIRST_ABI = WRITE | _MAKE_CHAR | _MAKE_BLOCK
_SINCE = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}
_TCP = 3
_SIGNALS_AND_ABSTRACT_SOCKETS = 3
_TCP_ABI, _SCOPES_ABI = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "tcp", "scopes")]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("fd", ctypes.c_int32)]


@dataclass(frozen=True)
class Ground:
    """A path that was opened once, for rules that every session gets."""

    fd: int
    access: int


def abi() -> int:
    """The version that this kernel offers; 0 for none."""
    if not kernel.LINUX:
        return 0
    return max(0, kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION))


def opened(path: str | os.PathLike[str], access: int) -> Ground:
    """The path, held open without being read; raises OSError."""
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not stat.S_ISDIR(os.fstat(fd).st_mode):
        access &= _ON_FILES
    return Ground(fd, access)


def ground(paths: Iterable[Path], access: int) -> list[Ground]:
    """Those of the paths that exist here."""
    return [opened(path, access) for path in paths if path.exists()]


def restrict(grounds: Iterable[Ground], *, version: int, cut_tcp: bool) -> None:
    """Allow this process only these, for good; `no_new_privileges` must come first."""
    handled = _handled(version)
    rules = _Ruleset(
        files=handled,
        tcp=_TCP if cut_tcp and version >= _TCP_ABI else 0,
        scopes=_SIGNALS_AND_ABSTRACT_SOCKETS if version >= _SCOPES_ABI else 0,
    )
    size = 8 if version < _TCP_ABI else 16 if version < _SCOPES_ABI else 24
    ruleset = kernel.checked(
        kernel.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    )
    for item in grounds:
        beneath = _PathBeneath(item.access & handled, item.fd)
        kernel.checked(kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0))
    kernel.checked(kernel.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _handled(version: int) -> int:
    """Everything this version can deny."""
    later = sum(access for since, access in _SINCE.items() if since > version)
    return (_FIRST_ABI | _IOCTL_DEV) & ~later
