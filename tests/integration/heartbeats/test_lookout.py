"""What a node does about detectors, about every second."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from autonomy.domain.states import ErrorClass
from autonomy.sessions.orders import End, Report
from autonomy.tasks.models import Task
from heartbeats.models import Tick, Watch
from heartbeats.services import Lookout, Swept
from tests.integration.heartbeats.setting import due, finding, lapse, node, now, states, watch

pytestmark = pytest.mark.django_db


@dataclass
class Bench:
    """Looks that end when the test says so."""

    places: int = 16
    begun: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    open: list[Callable[[Report], None]] = field(default_factory=list)

    @property
    def free(self) -> int:
        return self.places - len(self.open)

    def detect(
        self,
        detector: str,
        *,
        params: Mapping[str, Any],
        due_at: datetime,
        now: datetime,
        timeout: float,
        network: bool,
        on_done: Callable[[Report], None],
    ) -> None:
        assert self.free > 0
        self.begun.append(
            (detector, {"params": params, "due_at": due_at, "timeout": timeout, "network": network})
        )
        self.open.append(on_done)

    def end(self, report: Report) -> None:
        """End the oldest look."""
        self.open.pop(0)(report)


def found(*findings: dict[str, Any]) -> Report:
    return Report(ended=End.OK, result={"findings": list(findings)})


def failed(error: str, ended: End = End.FAILED) -> Report:
    return Report(ended=ended, error=error, error_class=ErrorClass.TRANSIENT)


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


@pytest.fixture
def lookout() -> Lookout:
    return Lookout("a")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_idle_sweep_is_one_statement(
    lookout: Lookout, bench: Bench, django_assert_num_queries: Any
) -> None:
    for n in range(20):
        watch(f"w{n}")
    lookout.sweep(bench)

    with django_assert_num_queries(1):
        assert lookout.sweep(bench) == Swept()


def test_a_due_watch_is_noticed_taken_and_looked_at_in_one_sweep(
    lookout: Lookout, bench: Bench
) -> None:
    added = watch()
    Watch.objects.update(next_due_at=added.created_at - timedelta(days=1))

    swept = lookout.sweep(bench)

    assert (swept.noticed, swept.started) == (1, 1)
    [(detector, order)] = bench.begun
    assert detector == "disk_low"
    assert (order["timeout"], order["network"]) == (1.0, False)


def test_a_detector_with_network_is_given_more_time(lookout: Lookout, bench: Bench) -> None:
    due(watch("site", "site_down"))

    lookout.sweep(bench)

    [(_, order)] = bench.begun
    assert (order["timeout"], order["network"]) == (10.0, True)


def test_what_was_found_is_submitted_at_the_next_sweep(lookout: Lookout, bench: Bench) -> None:
    added = watch()
    due(added)
    lookout.sweep(bench)

    bench.end(found(finding()))
    assert lookout.sweep(bench).settled == 1

    assert Task.objects.count() == 1
    assert states(added) == ["done"]


def test_a_busy_sweep_takes_the_same_statements_for_one_watch_and_for_sixteen(
    lookout: Lookout, bench: Bench
) -> None:
    def statements() -> int:
        while bench.open:
            bench.end(found())
        Tick.objects.filter(state="done").delete()
        Tick.objects.update(due_at=F("due_at") - timedelta(days=2))
        Watch.objects.update(next_due_at=watches[0].created_at - timedelta(days=1))
        with CaptureQueriesContext(connection) as captured:
            assert lookout.sweep(bench).started == len(watches)
        return len(captured)

    watches = [watch("first")]
    assert statements() == 10  # what waits; noticing (5); taking (4)
    assert statements() == 11  # and the ends of the last looks
    watches += [watch(f"w{n}") for n in range(15)]
    statements()
    assert statements() == 11


def test_no_more_looks_are_started_than_there_are_places_and_the_rest_follow_as_they_end(
    lookout: Lookout,
) -> None:
    bench = Bench(places=2)
    for n in range(5):
        due(watch(f"w{n}"))

    assert lookout.sweep(bench).started == 2
    for _ in range(5):
        bench.end(found())

    assert len(bench.begun) == 5
    lookout.sweep(bench)
    assert set(Tick.objects.values_list("state", flat=True)) == {"done"}


def test_a_tick_that_waited_past_its_lease_is_left_to_others(bench: Bench) -> None:
    seconds = 0.0
    lookout = Lookout("a", clock=lambda: seconds)
    due(watch())
    lookout.sweep(Bench(places=0))
    lapse_all()
    seconds = 60.0

    assert lookout.sweep(bench).started == 1  # taken anew, looked at once
    assert Tick.objects.get().attempt == 2


def lapse_all() -> None:
    for tick in Tick.objects.filter(state="running"):
        lapse(tick)  # type: ignore[arg-type]


def test_a_look_that_failed_is_a_strike(lookout: Lookout, bench: Bench) -> None:
    added = watch()
    due(added)
    lookout.sweep(bench)

    bench.end(failed("ZeroDivisionError: division by zero"))
    lookout.sweep(bench)

    added.refresh_from_db()
    assert added.strikes == 1
    assert Tick.objects.get().error == "ZeroDivisionError: division by zero"


def test_a_look_over_its_time_says_which_limit_it_crossed(lookout: Lookout, bench: Bench) -> None:
    due(watch())
    lookout.sweep(bench)

    bench.end(Report(ended=End.TIMEOUT, limit="wall"))
    lookout.sweep(bench)

    assert Tick.objects.get().error == "the look ended: wall"


def test_what_is_unreachable_is_no_strike_for_a_detector_with_network(
    lookout: Lookout, bench: Bench
) -> None:
    added = watch("site", "site_down")
    due(added)
    lookout.sweep(bench)

    bench.end(failed("unreachable: [Errno 113] No route to host"))
    lookout.sweep(bench)

    added.refresh_from_db()
    assert added.strikes == 0
    assert Tick.objects.get().error == "unreachable: [Errno 113] No route to host"


def test_a_detector_without_network_cannot_say_it_was_unreachable(
    lookout: Lookout, bench: Bench
) -> None:
    added = watch()
    due(added)
    lookout.sweep(bench)

    bench.end(failed("unreachable: nothing"))
    lookout.sweep(bench)

    added.refresh_from_db()
    assert added.strikes == 1


@pytest.mark.parametrize("ended", [End.LOST, End.CANCELLED])
def test_a_look_that_was_cut_off_is_taken_again_and_is_no_strike(
    lookout: Lookout, bench: Bench, ended: End
) -> None:
    added = watch()
    due(added)
    lookout.sweep(bench)

    bench.end(failed("the zygote ended", ended))
    lookout.sweep(bench)

    added.refresh_from_db()
    assert added.strikes == 0
    assert Tick.objects.get().attempt == 2


def test_when_every_look_is_lost_none_is_started_in_their_place(lookout: Lookout) -> None:
    bench = Bench(places=1)
    for n in range(3):
        due(watch(f"w{n}"))
    lookout.sweep(bench)

    bench.end(failed("the zygote ended", End.LOST))

    assert bench.open == []


def test_an_outage_of_the_database_loses_no_report(lookout: Lookout, bench: Bench) -> None:
    for n in range(3):
        due(watch(f"w{n}"))
    lookout.sweep(bench)
    for report in (found(), found(finding()), failed("boom")):
        bench.end(report)

    with connection.execute_wrapper(_away), pytest.raises(OperationalError):
        lookout.sweep(bench)
    lookout.sweep(bench)

    assert Task.objects.count() == 1
    assert sorted(Tick.objects.values_list("state", flat=True)) == ["done", "done", "failed"]


def _away(*_: Any) -> Any:
    raise OperationalError("the server is away")


def test_a_report_that_cannot_be_stored_is_set_aside(lookout: Lookout, bench: Bench) -> None:
    added, other = watch(), watch("other")
    due(added, timedelta(seconds=2))
    due(other)
    lookout.sweep(bench)

    bench.end(found(finding(args={"path": "a\0b"}), finding("fine", reason="\0")))
    bench.end(found(finding("else")))
    lookout.sweep(bench)

    assert Task.objects.count() == 2
    assert states(added) == ["failed"]
    assert states(other) == ["done"]


def test_what_a_node_found_after_its_lease_ran_out_is_dropped(
    lookout: Lookout, bench: Bench
) -> None:
    added = watch()
    due(added)
    lookout.sweep(bench)
    lapse_all()
    Lookout("a").sweep(Bench())

    bench.end(found(finding()))
    lookout.sweep(bench)

    assert not Task.objects.exists()
    assert states(added) == ["running"]


def test_a_node_forgets_old_ticks_every_minute(bench: Bench) -> None:
    seconds = 0.0
    lookout = Lookout("a", clock=lambda: seconds)
    added = watch()
    made = now() - timedelta(days=4)
    old = uuid.UUID(int=int(made.timestamp() * 1000) << 80)
    Tick.objects.create(id=old, watch=added, due_at=made, state="done", ended_at=made)
    Tick.objects.create(watch=added, due_at=now(), state="done", ended_at=now())
    lookout.sweep(bench)
    assert Tick.objects.count() == 2

    seconds = 61.0
    lookout.sweep(bench)

    assert Tick.objects.exclude(id=old).count() == Tick.objects.count() == 1


def test_two_nodes_look_at_a_due_watch_once(bench: Bench) -> None:
    node("b")
    due(watch())

    Lookout("a").sweep(bench)
    Lookout("b").sweep(bench)

    assert len(bench.begun) == 1
