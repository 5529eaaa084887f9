"""Skills that ask the kernel for what no session needs."""

import ctypes
import errno
import mmap

from autonomy.sdk import Context, skill
from autonomy.sessions import seccomp

# mov eax, 20 (getpid); int 0x80; ret
OLD_CALL = bytes.fromhex("b814000000 cd80 c3")


def answers(calls: dict[str, list[int]]) -> dict[str, str]:
    """How the kernel answered to calls, each by its number and arguments."""
    libc = ctypes.CDLL(None, use_errno=True)
    told = {}
    for name, (number, *arguments) in calls.items():
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        told[name] = "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
    return told


_MACHINE = seccomp.machine()
_KEYCTL = {"keyctl": [_MACHINE.numbers["keyctl"], 0, -3, 1]} if _MACHINE else {}
AT_IMPORT = answers(_KEYCTL)


@skill(tier=1)
def attempt(ctx: Context, calls: dict[str, list[int]]) -> dict[str, str]:
    """Make system calls, by number and arguments; how each was answered."""
    return answers(calls)


@skill(tier=1)
def at_import(ctx: Context) -> dict[str, str]:
    """What came of a call that this module made when it was imported."""
    return AT_IMPORT


@skill(tier=1)
def call_as_another_machine(ctx: Context) -> int:
    """Make a system call in the way of 32-bit machines."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(OLD_CALL)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())
