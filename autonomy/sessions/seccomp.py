"""The filters in front of the kernel: which system calls a session may make (C-18).

What neither the zygote nor a session needs is refused before the first module is imported, and that
is inherited. The rest is a small filter that is assembled once, in the zygote, and handed to the
kernel by each session. libseccomp would do the same, but not every machine has it, and it assembles
anew each time. A tree of comparisons is what the kernel takes up soonest: it tries every number
against a filter when it gets it.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable
from enum import Enum
from functools import cache

from autonomy.sessions import kernel
from autonomy.sessions.syscalls import ABSENT, DENIED, MACHINES, SETTING_UP, Machine

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _AUDIT, _ARGUMENTS, _ARGUMENT_BYTES, _UPPER_HALF = 0, 4, 16, 8, 4
_ALLOWED, _KILLED, _ERROR = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

_NEW_NAMESPACES = 0x7E02_0000
_SHARED_BYTES = 16_384
"""Of one piece; the 4096 that the kernel allows together are as much as /dev/shm holds."""
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16

Instruction = tuple[int, int, int, int]
"""What to do, how many to skip if it holds and if it does not, and with which value."""
Block = tuple[Instruction, ...]
"""Comes to an answer, whatever is asked."""


class Sockets(Enum):
    """Which sockets a session may make."""

    PAIRS = "pairs"  # that lead to each other and nowhere else
    LOOPBACK = "loopback"
    NETWORK = "network"


_FAMILIES: dict[Sockets, tuple[int, ...]] = {
    Sockets.PAIRS: (),
    Sockets.LOOPBACK: (_UNIX, _INET, _INET6),
    Sockets.NETWORK: (_UNIX, _INET, _INET6, _NETLINK),
}


class Filter:
    """A program that the kernel runs before every system call; laid out once, handed over often."""

    def __init__(self, instructions: Block) -> None:
        packed = b"".join(struct.pack("=HBBI", *one) for one in instructions)
        self._body = ctypes.create_string_buffer(packed, len(packed))
        self._program = _Program(len(instructions), ctypes.addressof(self._body))
        self._handed_over = ctypes.byref(self._program)

    def install(self) -> None:
        """From now on, for this process and all its children; `no_new_privileges` comes first."""
        kernel.filter_system_calls(self._handed_over)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def machine() -> Machine | None:
    """How the kernel counts here; None where nobody has written that down."""
    known = kernel.LINUX and sys.byteorder == "little" and ctypes.sizeof(ctypes.c_void_p) == 8
    return MACHINES.get(os.uname().machine) if known else None


@cache
def filter_for(sockets: Sockets | None) -> Filter:
    """Of sessions that may make these sockets, or of zygotes; raises OSError."""
    here = machine()
    if here is None:
        raise OSError(errno.ENOSYS, "system calls are not known for this kind of machine")
    return Filter(assembled(here, sockets))


def assembled(machine: Machine, sockets: Sockets | None) -> Block:
    """The program for a machine: an answer to every system call. Without sockets, for zygotes."""
    answers = _of_a_zygote(machine) if sockets is None else _of_a_session(machine, sockets)
    return (
        _load(_AUDIT),
        (_EQUAL, 1, 0, machine.audit),
        _answer(_KILLED),
        _load(_NUMBER),
        (_AT_LEAST, 0, 1, machine.last + 1),
        _answer(_KILLED),
        *_tree(_segments(dict(answers))),
    )


def _of_a_zygote(machine: Machine) -> Iterable[tuple[int, Block]]:
    """What to answer to a system call, by its number; what is not named is allowed."""
    for name, number in machine.numbers.items():
        if name not in SETTING_UP:
            yield number, _always(name)


def _of_a_session(machine: Machine, sockets: Sockets) -> Iterable[tuple[int, Block]]:
    """What is left to be refused."""
    checked = {
        "clone": _without(_NEW_NAMESPACES),
        "socket": _among(_FAMILIES[sockets]),
        "socketpair": _among((_UNIX,)),
        "shmget": _at_most(_SHARED_BYTES),
    }
    for name in sorted(SETTING_UP & machine.numbers.keys()):
        yield machine.numbers[name], checked.get(name) or _always(name)


def _always(name: str) -> Block:
    if name in DENIED:
        return (_refused(errno.EPERM),)
    if name in ABSENT:
        return (_refused(errno.ENOSYS),)
    raise KeyError(name)


def _segments(answers: dict[int, Block]) -> list[tuple[int, Block]]:
    """From which number on which answer is given."""
    allowed: Block = (_answer(_ALLOWED),)
    starts = {0: allowed}
    for number in sorted(answers):
        starts[number] = answers[number]
        starts[number + 1] = allowed
    found: list[tuple[int, Block]] = []
    for start in sorted(starts):
        if not found or found[-1][1] != starts[start]:
            found.append((start, starts[start]))
    return found


def _tree(segments: list[tuple[int, Block]]) -> Block:
    """Halve until one is left. A jump skips no more than 255, which is more than half of all."""
    if len(segments) == 1:
        return segments[0][1]
    half = len(segments) // 2
    below, above = _tree(segments[:half]), _tree(segments[half:])
    return ((_AT_LEAST, len(below), 0, segments[half][0]), *below, *above)


def _without(bits: int) -> Block:
    """Allowed if the first argument has none of these bits."""
    return (
        _load(_ARGUMENTS),
        (_ANY_BIT, 0, 1, bits),
        _refused(errno.EPERM),
        _answer(_ALLOWED),
    )


def _among(values: Iterable[int]) -> Block:
    """Allowed if the first argument is one of these."""
    tests = [step for value in values for step in ((_EQUAL, 0, 1, value), _answer(_ALLOWED))]
    return (_load(_ARGUMENTS), *tests, _refused(errno.EPERM))


def _at_most(most: int) -> Block:
    """Allowed if the second argument is no larger."""
    second = _ARGUMENTS + _ARGUMENT_BYTES
    return (
        _load(second + _UPPER_HALF),
        (_EQUAL, 1, 0, 0),
        _refused(errno.EPERM),
        _load(second),
        (_AT_LEAST, 0, 1, most + 1),
        _refused(errno.EPERM),
        _answer(_ALLOWED),
    )


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _answer(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _refused(number: int) -> Instruction:
    return _answer(_ERROR | number)
