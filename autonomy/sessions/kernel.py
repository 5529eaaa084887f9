"""The few system calls that Python has no names for."""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1

LINUX = sys.platform == "linux"
_libc = ctypes.PyDLL(None, use_errno=True)


def die_with_parent(number: int) -> None:
    """Ask for this signal when the thread that began this process ends."""
    if LINUX:
        _prctl(_PR_SET_PDEATHSIG, number)


def _prctl(option: int, *values: int) -> int:
    return _checked(
        _libc.prctl(option, *(ctypes.c_ulong(value) for value in (*values, 0, 0, 0)[:4]))
    )


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
