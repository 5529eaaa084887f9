"""The filter of system calls: what it answers, on machines that we do not have as well."""

import ctypes.util
import errno
import struct
from collections.abc import Mapping

import pytest

from autonomy.sessions.seccomp import Block, Sockets, assembled
from autonomy.sessions.syscalls import ABSENT, DENIED, MACHINES, SETTING_UP

ALLOWED, KILLED = "allowed", "killed"
EVERY_NUMBER = range(700)
LIBRARY = ctypes.util.find_library("seccomp")
UNIX, INET, INET6, NETLINK, PACKET, VSOCK = 1, 2, 10, 16, 17, 40
NEW_USERS, THREAD = 0x1000_0000, 0x0001_0F00

each_machine = pytest.mark.parametrize("machine", MACHINES)


def answer(program: Block, audit: int, number: int, *arguments: int) -> str:
    """What the kernel would be told; as `seccomp(2)` describes the machine that it runs."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    accumulator, at = 0, 0
    while True:
        code, if_so, if_not, value = program[at]
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, value)[0]
                at += 1
            case 0x06:
                return told(value)
            case 0x15 | 0x35 | 0x45:
                holds = {
                    0x15: accumulator == value,
                    0x35: accumulator >= value,
                    0x45: bool(accumulator & value),
                }[code]
                at += 1 + (if_so if holds else if_not)
            case _:
                raise AssertionError(f"no such instruction: {code:x}")


def told(value: int) -> str:
    kinds = {0x7FFF_0000: ALLOWED, 0x8000_0000: KILLED}
    return kinds.get(value) or errno.errorcode[value & 0xFFFF]


class Kernel:
    """One kind of machine, with the filters of a session: its own, and what it inherits."""

    def __init__(self, machine: str, sockets: Sockets = Sockets.PAIRS) -> None:
        self.machine = MACHINES[machine]
        self.filters = [assembled(self.machine, own) for own in (None, sockets)]

    def asked(self, name: str, *arguments: int) -> str:
        """The answer to a call by its name."""
        return self.asked_for(self.machine.numbers[name], *arguments)

    def asked_for(self, number: int, *arguments: int, audit: int = 0) -> str:
        """The answer to a call by its number: the harsher one of the two."""
        audit = audit or self.machine.audit
        answers = {answer(program, audit, number, *arguments) for program in self.filters}
        return KILLED if KILLED in answers else min(answers - {ALLOWED}, default=ALLOWED)


@each_machine
@pytest.mark.parametrize("sockets", Sockets)
def test_every_call_that_is_not_named_is_allowed_and_no_other(
    machine: str, sockets: Sockets
) -> None:
    kernel = Kernel(machine, sockets)
    checked = kernel.machine.numbers.keys() - DENIED - ABSENT
    expected = dict.fromkeys(EVERY_NUMBER, ALLOWED)
    for name, number in kernel.machine.numbers.items():
        expected[number] = "EPERM" if name in DENIED else "ENOSYS"
    for name in checked:
        del expected[kernel.machine.numbers[name]]

    assert {number: kernel.asked_for(number) for number in expected} == expected


@each_machine
def test_a_zygote_can_do_what_sets_a_session_up_and_nothing_else(machine: str) -> None:
    known = MACHINES[machine]
    program = assembled(known, None)

    allowed = {
        name for name, number in known.numbers.items()
        if answer(program, known.audit, number, NEW_USERS) == ALLOWED
    }  # fmt: skip

    assert allowed == SETTING_UP


@each_machine
def test_calls_as_of_another_machine_end_the_process(machine: str) -> None:
    kernel = Kernel(machine)
    i386 = 0x4000_0003

    assert kernel.asked_for(kernel.machine.numbers["clone"], audit=i386) == KILLED
    assert kernel.asked_for(0x4000_0000 + 39) == KILLED


@each_machine
def test_threads_and_processes_can_be_begun_but_no_namespaces(machine: str) -> None:
    kernel = Kernel(machine)

    assert kernel.asked("clone", THREAD) == ALLOWED
    assert kernel.asked("clone", NEW_USERS | 17) == "EPERM"
    assert kernel.asked("clone3") == "ENOSYS"


@each_machine
@pytest.mark.parametrize(
    ("sockets", "families"),
    [
        (Sockets.PAIRS, set()),
        (Sockets.LOOPBACK, {UNIX, INET, INET6}),
        (Sockets.NETWORK, {UNIX, INET, INET6, NETLINK}),
    ],
)
def test_sockets_are_of_the_families_that_were_granted(
    machine: str, sockets: Sockets, families: set[int]
) -> None:
    kernel = Kernel(machine, sockets)

    allowed = {family for family in range(64) if kernel.asked("socket", family) == ALLOWED}

    assert allowed == families
    assert kernel.asked("socketpair", UNIX) == ALLOWED
    assert kernel.asked("socketpair", VSOCK) == kernel.asked("socket", PACKET) == "EPERM"


@each_machine
def test_shared_memory_of_the_old_kind_is_small(machine: str) -> None:
    kernel = Kernel(machine)

    assert kernel.asked("shmget", 0, 16_384) == ALLOWED
    assert kernel.asked("shmget", 0, 16_385) == "EPERM"
    assert kernel.asked("shmget", 0, 1 << 32) == "EPERM"


@each_machine
@pytest.mark.skipif(LIBRARY is None, reason="needs libseccomp: apt install libseccomp2")
def test_the_numbers_are_those_that_libseccomp_knows(machine: str) -> None:
    known = MACHINES[machine]

    theirs = found(known.audit, known.numbers)

    assert len(theirs) > 50
    assert theirs.items() <= known.numbers.items()


def found(audit: int, names: Mapping[str, int]) -> dict[str, int]:
    """The numbers of the names that this version of the library knows."""
    resolve = ctypes.CDLL(LIBRARY).seccomp_syscall_resolve_name_arch
    numbers = {name: resolve(ctypes.c_uint32(audit), name.encode()) for name in names}
    return {name: number for name, number in numbers.items() if number >= 0}
