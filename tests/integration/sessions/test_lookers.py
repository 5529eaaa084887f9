"""Processes that look again and again: for detectors, and for the queries of verifiers (E-2)."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.isolation import Rung
from autonomy.domain.states import ErrorClass
from autonomy.sdk.scope import Scope
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.lookers import MOST_LOOKERS
from autonomy.sessions.measures import children
from autonomy.sessions.orders import End, Purpose
from tests.integration.sessions.bench import NOON, Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = [
    linux_only,
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs a database: DATABASE_URL"),
]


@pytest.fixture
def alone(home: Path) -> Iterator[Bench]:
    """A bench whose lookers nobody else has used."""
    with Bench(home, lease_seconds=2) as bench:
        yield bench


def test_a_detector_looks_and_finds(bench: Bench) -> None:
    report = bench.reports(bench.look("row_count", at_least=3))[0]

    assert report.ended is End.OK
    assert [finding["args"] for finding in report.result["findings"]] == [{"left": 3}]


@pytest.mark.parametrize(
    ("detector", "why"),
    [
        ("writer", "read-only"),
        ("smuggler", "multiple commands"),
        ("filer", "planted'"),
        ("caller", "Operation not permitted"),
    ],
)
def test_a_detector_changes_nothing(
    bench: Bench, found: Isolation, detector: str, why: str
) -> None:
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs the whole ladder")
    with socket.create_server(("127.0.0.1", 0)) as server:
        params: dict[str, dict[str, Any]] = {
            "filer": {"path": f"{bench.home}/planted"},
            "caller": {"port": server.getsockname()[1]},
        }

        report = bench.reports(bench.look(detector, **params.get(detector, {})))[0]

    assert report.ended is End.FAILED
    assert why in report.error
    assert not (bench.home / "planted").exists()


def test_looks_share_a_process_and_a_connection(alone: Bench) -> None:
    first, second = (alone.reports(alone.look("pid"))[0].result for _ in range(2))

    assert first == second
    assert len(children(alone.pool.pid)) == 1


def test_a_look_has_its_second_and_the_next_one_another_process(bench: Bench) -> None:
    late = bench.reports(bench.look("sleeper"))[0]

    assert (late.ended, late.limit) == (End.TIMEOUT, "wall")
    assert bench.reports(bench.look("row_count"))[0].ended is End.OK


def test_a_detector_that_crashes_takes_only_its_own_look(bench: Bench) -> None:
    orders = [bench.look(name) for name in ("row_count", "crasher", "row_count", "row_count")]

    reports = bench.reports(*orders)

    assert [report.ended for report in reports] == [End.OK, End.FAILED, End.OK, End.OK]
    assert reports[1].exit_status == 9


def test_more_looks_than_lookers_wait_for_their_turn(alone: Bench) -> None:
    orders = [alone.look("row_count") for _ in range(3 * MOST_LOOKERS)]

    reports = alone.reports(*orders)

    assert {report.ended for report in reports} == {End.OK}
    assert len(children(alone.pool.pid)) <= MOST_LOOKERS


def test_kinds_of_lookers_make_room_for_each_other(alone: Bench) -> None:
    for number in range(MOST_LOOKERS + 2):
        folder = alone.home / f"kind-{number}"
        folder.mkdir(exist_ok=True)
        scope = Scope(read=(str(folder),))
        order = alone.look("row_count").model_copy(update={"scope": scope})
        assert alone.reports(order)[0].ended is End.OK

    assert len(children(alone.pool.pid)) <= MOST_LOOKERS + 1  # one may still be ending


def test_that_the_database_is_away_is_not_the_detectors_fault(alone: Bench) -> None:
    nowhere = alone.look("row_count").model_copy(
        update={"database_url": "postgresql://nobody@127.0.0.1:1/nothing"}
    )

    cut, away = alone.reports(alone.look("cutter"), nowhere)

    assert [cut.ended, away.ended] == [End.LOST, End.LOST]
    assert away.error_class is ErrorClass.TRANSIENT
    assert "cannot be reached" in away.error
    assert alone.reports(alone.look("row_count"))[0].ended is End.OK


def test_a_look_can_be_cancelled(alone: Bench) -> None:
    order = alone.look("sleeper")
    alone.pool.spawn(order)
    alone.serve({})

    alone.pool.cancel(order.session_id)

    assert alone.wait(order.session_id)[0].ended is End.CANCELLED


def test_looks_end_with_the_zygote(home: Path) -> None:
    with Bench(home) as bench:
        bench.reports(bench.look("row_count"))
        orders = [bench.look("sleeper") for _ in range(MOST_LOOKERS + 1)]
        for order in orders:
            bench.pool.spawn(order)
        os.kill(bench.pool.pid, 9)

        reports = bench.wait(*(order.session_id for order in orders))

    assert {report.ended for report in reports} == {End.LOST}


def test_an_idle_looker_needs_no_lease_and_no_watching(alone: Bench) -> None:
    first = alone.reports(alone.look("pid"))[0].result
    before = _wakeups(alone.pool.pid)
    time.sleep(2.5)

    assert _wakeups(alone.pool.pid) - before <= 2
    assert alone.reports(alone.look("pid"))[0].result == first


def test_a_verifier_asks_the_database_and_gets_values(bench: Bench) -> None:
    report = bench.run(
        "calm.count",
        Purpose.VERIFY,
        result=3,
        started_at=NOON,
        database_url=os.environ["DATABASE_URL"],
    )

    assert report.result["verdict"] == "verified", report


def test_a_verifier_without_a_database_is_told(bench: Bench) -> None:
    report = bench.run("calm.count", Purpose.VERIFY, result=3, started_at=NOON)

    assert "no database" in report.error


def test_what_a_verifier_may_not_ask_fails_only_that_verifier(bench: Bench) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"

    report = bench.run(
        "calm.count", Purpose.VERIFY, result=3, started_at=NOON, database_url=nowhere
    )

    assert (report.ended, report.error_class) == (End.FAILED, ErrorClass.TRANSIENT)
    assert "cannot be reached" in report.error


def _wakeups(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
