"""What is seen of processes."""

import os
import subprocess
import sys
import time

import pytest

from autonomy.sdk.skill import Limits
from autonomy.sessions import measures
from autonomy.sessions.measures import Usage, children, family, usage
from autonomy.sessions.orders import End
from autonomy.sessions.watch import crossed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize("told", [True, False])
def test_a_family_has_children_and_their_children(
    monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(measures, "_TELLS_CHILDREN", told and measures._TELLS_CHILDREN)
    command = ["sh", "-c", "sleep 30 & sleep 31; true"]
    with subprocess.Popen(command) as parent:
        try:
            until = time.monotonic() + 5
            while len(family(parent.pid)) < 3 and time.monotonic() < until:
                time.sleep(0.01)

            assert parent.pid in children(os.getpid())
            assert len(family(parent.pid)) == 3
            assert usage(family(parent.pid), enough=0).processes == 3
        finally:
            for pid in family(parent.pid):
                os.kill(pid, 9)


def test_who_has_ended_uses_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()

        assert usage([process.pid], enough=0) == Usage()
        assert children(process.pid) == []


def test_shared_memory_is_counted_once() -> None:
    rough = usage([os.getpid()], enough=1 << 60).memory_bytes
    exact = usage([os.getpid()], enough=0).memory_bytes

    assert 0 < exact <= rough


@pytest.mark.parametrize(
    ("seen", "limit"),
    [
        (Usage(memory_bytes=101), "memory"),
        (Usage(processes=11), "processes"),
        (Usage(cpu_seconds=1.5), "cpu"),
    ],
)
def test_the_limit_that_was_crossed_is_named(seen: Usage, limit: str) -> None:
    doom = crossed(Limits(memory_bytes=100, processes=10, cpu_seconds=1), seen)

    assert doom
    assert (doom.ended, doom.limit) == (End.RESOURCE, limit)


def test_what_is_within_its_limits_lives_on() -> None:
    assert crossed(Limits(), Usage(memory_bytes=1, cpu_seconds=1, processes=1)) is None
