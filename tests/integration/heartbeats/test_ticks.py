"""Taking ticks and writing down what their looks found: once, fenced, with strikes (E-2, E-4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from autonomy.systemmap.models import Node
from autonomy.systemmap.services import drain_nodes, pause_nodes
from autonomy.tasks.models import Task
from heartbeats import services
from heartbeats.models import Noticed, Tick, Watch
from heartbeats.sdk import MOST_FINDINGS
from heartbeats.services import (
    TakenTick,
    TickLost,
    claim_ticks,
    fail,
    finish,
    finish_quiet,
    release,
)
from tests.integration.heartbeats.setting import (
    CLEAN_UP,
    due,
    events,
    finding,
    lapse,
    node,
    states,
    taken,
    watch,
)
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


def looked_at(added: Watch, *errors: str) -> None:
    """Ticks of the watch whose looks failed with these errors; an empty one found nothing."""
    for error in errors:
        tick = taken(added)
        if error:
            fail(tick, error)
        else:
            finish_quiet([(tick, "")])


# -- taking


def test_a_taken_tick_says_what_to_look_with() -> None:
    added = services.put_to_work("disk", "disk_low", {"bound": 80}, every=60, by="person:ann")

    tick = taken(added)

    assert (tick.watch, tick.detector, tick.params, tick.attempt) == (
        "disk",
        "disk_low",
        {"bound": 80},
        1,
    )
    assert not tick.network
    assert tick.due_at < tick.now
    row = Tick.objects.get()
    assert (row.state, row.node) == ("running", "a")
    assert row.lease_until is not None


def test_a_detector_that_declares_network_is_known_to() -> None:
    assert taken(watch("site", "site_down")).network


def test_taking_is_two_statements_for_one_tick_and_for_fifty() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert claim_ticks("a", 100)
        return len(captured)

    due(watch("first"))
    assert statements() == 4  # in a savepoint
    for n in range(50):
        due(watch(f"w{n}"))
    assert statements() == 4


def test_no_more_than_asked_for_are_taken_the_longest_due_first() -> None:
    for n in range(5):
        due(watch(f"w{n}"), timedelta(seconds=n))

    assert {tick.watch for tick in claim_ticks("a", 2)} == {"w4", "w3"}


def test_at_most_one_tick_of_a_watch_is_live() -> None:
    added = watch(missed="all")
    due(added, timedelta(minutes=2))
    due(added, timedelta(minutes=1))

    assert len(claim_ticks("a", 10)) == 1
    assert claim_ticks("a", 10) == []


def test_late_ticks_coalesce_into_the_newest() -> None:
    added = watch()
    for minutes in (3, 2, 1):
        due(added, timedelta(minutes=minutes))

    [tick] = claim_ticks("a", 10)

    assert states(added) == ["skipped", "skipped", "running"]
    assert tick.due_at == added.ticks.get(state="running").due_at
    assert added.ticks.filter(state="skipped").first().error == "a later tick took its place"  # type: ignore[union-attr]


def test_a_watch_that_catches_up_takes_the_oldest_and_then_the_next() -> None:
    added = watch(missed="all")
    for minutes in (3, 2, 1):
        due(added, timedelta(minutes=minutes))

    seen = []
    for _ in range(3):
        [tick] = claim_ticks("a", 10)
        seen.append(tick.due_at)
        finish_quiet([(tick, "")])

    assert seen == sorted(seen)
    assert states(added) == ["done"] * 3


@pytest.mark.django_db(transaction=True)
def test_nodes_that_take_at_once_never_share_a_watch() -> None:
    node("b")
    watches = [watch(f"w{n}", missed="all") for n in range(10)]
    for _ in range(5):
        Tick.objects.all().delete()
        for added in watches:
            due(added, timedelta(seconds=1))
            due(added, timedelta(seconds=2))

        by_node = at_once(*[lambda name=name: claim_ticks(name, 100) for name in "abab"])

        everything = [tick.watch for ticks in by_node for tick in ticks]
        assert sorted(everything) == sorted(w.name for w in watches)


def test_only_a_node_that_has_loaded_the_detector_takes_its_ticks() -> None:
    node("b", CLEAN_UP)
    due(watch())

    assert claim_ticks("b", 10) == []
    assert claim_ticks("nowhere", 10) == []
    assert len(claim_ticks("a", 10)) == 1


@pytest.mark.parametrize("held_back", [pause_nodes, drain_nodes])
def test_a_node_that_is_held_back_takes_no_ticks(held_back: Any) -> None:
    due(watch())
    held_back(list(Node.objects.values_list("id", flat=True)), by="person:ann")

    assert claim_ticks("a", 10) == []


def test_a_tick_whose_lease_ran_out_is_taken_again_and_the_first_taker_is_refused() -> None:
    added = watch()
    first = taken(added)
    lapse(first)

    [second] = claim_ticks("a", 10)

    assert (second.id, second.attempt) == (first.id, 2)
    with pytest.raises(TickLost):
        finish(first, [finding()])
    with pytest.raises(TickLost):
        fail(first, "too late")
    assert finish_quiet([(first, "")]) == set()
    assert not Task.objects.exists()
    assert finish_quiet([(second, "")]) == {second.id}


def test_a_tick_that_was_given_back_is_taken_at_once() -> None:
    tick = taken(watch())

    release([tick])

    [again] = claim_ticks("a", 10)
    assert (again.id, again.attempt) == (tick.id, 2)


# -- what was found


def test_a_finding_becomes_a_task_with_its_cause_and_a_record() -> None:
    tick = taken(watch())

    looked = finish(tick, [finding("/data", args={"path": "/data"})])

    task = Task.objects.get()
    assert looked.submitted == (task.id,)
    assert (task.skill, task.args) == ("files.clean_up", {"path": "/data"})
    assert (task.origin, task.requested_by) == ("detector:disk_low", "service:disk_low")
    assert task.cause == [f"disk_low:{tick.id}"]
    noticed = Noticed.objects.get()
    assert (noticed.task_id, noticed.reason, noticed.key) == (task.id, "91 % full", "/data")
    row = Tick.objects.get()
    assert (row.state, row.findings, row.lease_until) == ("done", 1, None)


def test_while_its_task_is_open_a_finding_asks_for_no_other() -> None:
    added = watch()
    finish(taken(added), [finding()])

    looked = finish(taken(added), [finding()])

    assert (looked.submitted, looked.repeated) == ((), 1)
    assert Task.objects.count() == 1
    assert Noticed.objects.count() == 1
    newest = added.ticks.first()
    assert newest is not None
    assert newest.findings == 1


def test_when_its_task_has_ended_a_finding_asks_again() -> None:
    added = watch()
    finish(taken(added), [finding()])
    Task.objects.update(dedupe_key=None)

    assert len(finish(taken(added), [finding()]).submitted) == 1


def test_equal_keys_of_two_watches_are_two_things() -> None:
    one, two = watch("one"), watch("two")

    finish(taken(one), [finding()])
    finish(taken(two), [finding()])

    assert Task.objects.count() == 2


def test_what_is_new_only_once_is_acted_on_once_for_ever() -> None:
    added = watch()
    finish(taken(added), [finding("c0ffee", once=True), finding("c0ffee", once=True)])
    Task.objects.update(dedupe_key=None)

    looked = finish(taken(added), [finding("c0ffee", once=True), finding("beef", once=True)])

    assert (len(looked.submitted), looked.repeated, looked.refused) == (1, 1, ())
    assert Task.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"skill": "files.clean_pu"},
            "no skill 'files.clean_pu' is declared; did you mean files.clean_up",
        ),
        ({"args": {"pth": "/"}}, "files.clean_up: .*'pth'"),
        ({"args": {"path": "a\0b"}}, "files.clean_up"),
        ({"dedupe_key": ""}, "finding 1: dedupe_key: "),
        ({"dedupe_key": "k" * 201}, "finding 1: dedupe_key: "),
        ({"args": None}, "finding 1: args: "),
    ],
)
def test_a_finding_that_cannot_be_asked_for_is_a_strike_in_words_and_stops_no_other(
    wrong: dict[str, Any], words: str
) -> None:
    added = watch()

    looked = finish(taken(added), [finding(**wrong), finding("fine")])

    assert len(looked.submitted) == 1
    row = Tick.objects.get()
    assert row.state == "failed"
    assert row.findings == 2
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(row.error)
    added.refresh_from_db()
    assert added.strikes == 1


def test_a_key_that_is_too_long_with_its_watch_is_still_kept_apart() -> None:
    added = watch("w" * 190)

    looked = finish(
        taken(added), [finding("k" * 100 + "1"), finding("k" * 100 + "2"), finding("k" * 100 + "1")]
    )

    assert (len(looked.submitted), looked.repeated) == (2, 1)


def test_a_flood_of_findings_is_cut_and_said_so() -> None:
    looked = finish(taken(watch()), [finding("same", once=True)] * (MOST_FINDINGS + 5))

    assert len(looked.submitted) == 1
    assert looked.refused == (f"more than {MOST_FINDINGS} findings in one look",)


def test_looks_that_found_nothing_are_ended_in_one_statement(
    django_assert_num_queries: Any,
) -> None:
    ticks = [taken(watch(f"w{n}")) for n in range(20)]

    with django_assert_num_queries(1):
        ended = finish_quiet([(tick, "") for tick in ticks])

    assert ended == {tick.id for tick in ticks}
    assert set(Tick.objects.values_list("state", flat=True)) == {"done"}


# -- strikes


def test_the_third_failure_in_a_row_ends_the_watch_with_one_alert() -> None:
    added = watch()

    looked_at(added, "boom", "boom", "bang\0")

    added.refresh_from_db()
    assert (added.enabled, added.strikes) == (False, 3)
    assert added.disabled_reason.startswith("3 failures in a row, the last: bang")
    assert not PeriodicTask.objects.get().enabled
    assert len(events("detector_disabled")) == 1
    assert claim_ticks("a", 10) == []


def test_a_look_that_went_well_clears_the_strikes() -> None:
    added = watch()

    looked_at(added, "boom", "boom", "", "boom", "boom")

    added.refresh_from_db()
    assert (added.enabled, added.strikes) == (True, 2)


def test_a_look_that_found_something_clears_the_strikes() -> None:
    added = watch()
    looked_at(added, "boom", "boom")

    finish(taken(added), [finding()])

    added.refresh_from_db()
    assert added.strikes == 0


def test_what_could_not_be_reached_neither_clears_nor_adds_strikes() -> None:
    added = watch("site", "site_down")
    looked_at(added, "boom")

    finish_quiet([(taken(added), "unreachable: no route")])

    added.refresh_from_db()
    assert added.strikes == 1
    newest = added.ticks.first()
    assert newest is not None
    assert (newest.state, newest.error) == ("done", "unreachable: no route")


def test_refused_findings_count_towards_the_third_strike() -> None:
    added = watch()

    for _ in range(3):
        finish(taken(added), [finding(skill="nothing.like_it")])

    added.refresh_from_db()
    assert not added.enabled
    assert len(events("detector_disabled")) == 1


def test_a_watch_that_was_ended_looks_again_when_a_person_says_so() -> None:
    added = watch()
    looked_at(added, "boom", "boom", "boom")

    services.enable(added, by="person:ann")

    assert taken(added).watch == "disk"
    added.refresh_from_db()
    assert (added.strikes, added.disabled_reason) == (0, "")


def test_a_tick_of_a_watch_that_was_taken_off_is_lost() -> None:
    tick: TakenTick = taken(watch())
    services.take_off("disk", by="person:ann")

    with pytest.raises(TickLost):
        finish(tick, [finding()])
    assert not Task.objects.exists()


def test_old_ticks_that_led_to_nothing_are_forgotten() -> None:
    added = watch()
    finish(taken(added), [finding()])
    looked_at(added, "", "", "boom")

    assert services.forget_ticks() == 0
    assert services.forget_ticks(timedelta(seconds=-1)) == 2
    assert sorted(states(added)) == ["done", "failed"]
