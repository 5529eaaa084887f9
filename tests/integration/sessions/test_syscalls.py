"""What a session may ask of the kernel (C-18)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.domain.isolation import Rung
from autonomy.sessions import seccomp
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.orders import End
from autonomy.sessions.syscalls import ABSENT, DENIED
from tests.integration.sessions.bench import STRANGER, Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

NEW_USERS = 0x1000_0000
ARGUMENTS = {
    "ptrace": [0],  # be traced by the parent, which everybody may ask for
    "keyctl": [0, -3, 1],
    "msgget": [0, 0o1600],
    "semget": [0, 1, 0o1600],
    "unshare": [NEW_USERS],
    "open_tree": [-100, 0, 0],
    "listmount": [0, 0, 0, 0],
}
"""For these the kernel itself would have another answer; the rest is asked for nothing."""


@pytest.fixture(autouse=True)
def _enough(found: Isolation) -> None:
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs the whole ladder: " + "; ".join(found.facts))


@pytest.fixture(scope="module")
def unfiltered(home: Path) -> Iterator[Bench]:
    """Everything but the filter."""
    uid = STRANGER + 2 if os.getuid() == 0 else None
    with Bench(home, uid=uid, strongest=Rung.NETWORK) as running:
        yield running


def calls(names: frozenset[str]) -> dict[str, list[int]]:
    here = seccomp.machine()
    assert here is not None
    return {
        name: [here.numbers[name], *ARGUMENTS.get(name, [0, 0, 0, 0])]
        for name in sorted(names & here.numbers.keys())
    }


def test_what_no_session_needs_is_refused(bench: Bench) -> None:
    report = bench.run("calls.attempt", args={"calls": calls(DENIED)})

    assert set(report.result.values()) == {"EPERM"}, report.result


def test_what_programs_do_without_is_not_there(bench: Bench) -> None:
    report = bench.run("calls.attempt", args={"calls": calls(ABSENT)})

    assert set(report.result.values()) == {"ENOSYS"}, report.result


def test_the_filter_refuses_what_the_kernel_would_do(unfiltered: Bench) -> None:
    asked = {"ptrace", "keyctl", "msgget", "semget", "unshare", "kcmp", "io_uring_setup", "clone3"}

    report = unfiltered.run("calls.attempt", args={"calls": calls(frozenset(asked))})

    assert not {"EPERM", "ENOSYS"} & set(report.result.values()), report.result


def test_modules_are_imported_behind_the_filter(bench: Bench, unfiltered: Bench) -> None:
    assert bench.run("calls.at_import").result == {"keyctl": "EPERM"}
    assert unfiltered.run("calls.at_import").result == {"keyctl": "done"}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86_64 has a second way")
def test_a_call_as_of_another_machine_ends_the_session(bench: Bench, unfiltered: Bench) -> None:
    report = bench.run("calls.call_as_another_machine")

    assert (report.ended, report.signal) == (End.FAILED, 31)
    assert "SIGSYS" in report.error
    assert unfiltered.run("calls.call_as_another_machine").ended is End.OK
