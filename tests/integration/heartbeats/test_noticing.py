"""Every due time becomes one tick, however many clocks and messages say so (E-4)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks, SolarSchedule

from autonomy.systemmap.models import Component
from autonomy.systemmap.services import pause_components
from heartbeats import services
from heartbeats.doorbell import tick as ring
from heartbeats.models import Tick, Watch
from heartbeats.selectors import Waiting, waiting
from heartbeats.services import notice
from tests.integration.heartbeats.setting import (
    CLEAN_UP,
    events,
    node,
    now,
    states,
    unnoticed_since,
    watch,
)
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


def test_nothing_is_noticed_before_it_is_due() -> None:
    added = watch()

    assert notice() == 0
    assert states(added) == []


def test_a_due_time_becomes_a_tick_at_the_schedules_time_not_at_ours() -> None:
    added = watch(every=60)
    unnoticed_since(added, timedelta(seconds=50))

    assert notice(now=now() + timedelta(seconds=60)) >= 1

    newest = added.ticks.first()
    assert newest is not None
    assert newest.due_at.timestamp() % 60 == 0


def test_an_idle_look_is_one_statement(django_assert_num_queries: Any) -> None:
    for n in range(20):
        watch(f"w{n}")
    notice()

    with django_assert_num_queries(1):
        assert waiting("a") == Waiting(watches=False, ticks=False)


def test_noticing_takes_the_same_statements_for_one_watch_and_for_fifty() -> None:
    def statements() -> int:
        Watch.objects.update(next_due_at=now() - timedelta(days=1))
        Tick.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            assert notice() >= 1
        return len(captured)

    watch("first")
    one = statements()
    for n in range(49):
        watch(f"w{n}")

    assert one == 5  # a savepoint around: the watches, their ticks, their next due times
    assert statements() == one


def test_after_an_outage_of_beat_run_once_skips_all_but_the_newest() -> None:
    added = watch(every=60)
    unnoticed_since(added, timedelta(minutes=10))

    assert notice() == 1

    found = states(added)
    assert found == ["skipped"] * (len(found) - 1) + ["due"]
    assert 10 <= len(found) <= 11
    due_times = [t.due_at for t in added.ticks.order_by("due_at")]
    assert {b - a for a, b in pairwise(due_times)} == {timedelta(minutes=1)}


def test_after_an_outage_of_beat_catch_up_runs_every_one() -> None:
    added = watch(every=60, missed="all")
    unnoticed_since(added, timedelta(minutes=10))

    assert notice() >= 10

    assert set(states(added)) == {"due"}


def test_after_an_outage_of_beat_skip_runs_only_what_is_on_time() -> None:
    hourly = watch("hourly", every=3600, missed="skip")
    minutely = watch("minutely", every=60, missed="skip")
    moment = datetime(2026, 5, 1, 12, 10, tzinfo=UTC)
    Watch.objects.update(next_due_at=moment - timedelta(hours=2, minutes=10))

    notice(now=moment + timedelta(seconds=2))

    assert states(hourly) == ["skipped"] * 3
    assert states(minutely) == ["skipped"] * 130 + ["due"]


def test_after_a_month_without_beat_the_record_is_bounded_and_says_from_when_to_when() -> None:
    added = watch(every=1)
    unnoticed_since(added, timedelta(days=30))

    assert notice() == 1

    assert len(states(added)) == 501
    [missed] = events("ticks_missed")
    assert datetime.fromisoformat(missed["to"]) - datetime.fromisoformat(
        missed["from"]
    ) > timedelta(29)


def test_noticing_twice_finds_nothing_new() -> None:
    added = watch()
    unnoticed_since(added, timedelta(days=3))
    notice()
    found = states(added)

    assert notice() == 0
    assert states(added) == found


def test_a_redelivered_doorbell_fires_once() -> None:
    added = watch()
    unnoticed_since(added, timedelta(days=1))

    for _ in range(10):
        ring.apply(kwargs={"watch": str(added.id)}).get()

    assert states(added).count("due") == 1


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_fire_once() -> None:
    added = watch(missed="all")
    for _ in range(20):
        unnoticed_since(added, timedelta(days=1))
        Tick.objects.all().delete()

        noticed = at_once(*[lambda: notice([added.id])] * 4)

        assert sum(noticed) == len(states(added))
        assert set(states(added)) == {"due"}


def test_even_a_clock_that_went_back_cannot_make_a_tick_twice() -> None:
    added = watch()
    unnoticed_since(added, timedelta(days=2))
    notice()
    before = states(added)

    unnoticed_since(added, timedelta(days=2))

    assert notice() == 0
    assert states(added) == before


@pytest.mark.parametrize(
    "message", [{}, {"watch": "garbage"}, {"watch": None}, {"watch": "x", "y": 1}]
)
def test_a_garbage_doorbell_changes_nothing(message: dict[str, Any]) -> None:
    added = watch()
    unnoticed_since(added, timedelta(days=1))

    ring.apply(kwargs=message).get()

    assert states(added) == []


def test_a_doorbell_for_a_watch_that_is_not_due_is_one_look(django_assert_num_queries: Any) -> None:
    added = watch()
    notice()

    with django_assert_num_queries(3):  # a savepoint around one statement
        ring.apply(kwargs={"watch": str(added.id)}).get()


def test_a_schedule_edited_in_the_admin_holds_from_now_on() -> None:
    added = watch(every="5m")
    notice()
    unnoticed_since(added, -timedelta(minutes=2))
    row = IntervalSchedule.objects.get()
    row.every = 7200
    row.save()

    assert notice() == 0

    added.refresh_from_db()
    assert states(added) == []
    assert added.next_due_at is not None
    assert added.next_due_at.timestamp() % 7200 == 0
    assert waiting("a") == Waiting(watches=False, ticks=False)


def test_a_change_of_another_schedule_loses_no_due_time() -> None:
    added = watch(missed="all")
    unnoticed_since(added, timedelta(days=1))
    watch("other", every="10m")

    assert notice() >= 1
    assert "due" in states(added)


def test_a_schedule_switched_off_in_the_admin_is_not_made_up_for_when_it_is_back_on() -> None:
    added = watch(missed="all")
    PeriodicTask.objects.update(enabled=False)
    PeriodicTasks.update_changed()
    notice()
    unnoticed_since(added, timedelta(days=3))
    PeriodicTask.objects.update(enabled=True)
    PeriodicTasks.update_changed()

    notice()

    assert states(added) == []
    added.refresh_from_db()
    assert added.next_due_at is not None
    assert added.next_due_at > now()


def test_a_single_moment_is_noticed_though_beat_has_switched_it_off() -> None:
    added = watch(at=now() + timedelta(hours=1))
    PeriodicTask.objects.update(enabled=False)
    PeriodicTasks.update_changed()

    assert notice(now=now() + timedelta(hours=1, seconds=1)) == 1
    assert notice(now=now() + timedelta(hours=2)) == 0
    assert states(added) == ["due"]


def test_nothing_is_due_before_the_start_time_of_a_schedule() -> None:
    added = watch()
    PeriodicTask.objects.update(start_time=now() + timedelta(days=5))
    PeriodicTasks.update_changed()

    notice()

    added.refresh_from_db()
    assert added.next_due_at is not None
    assert added.next_due_at >= now() + timedelta(days=4)


def test_a_schedule_that_no_watch_can_follow_ends_that_watch_and_no_other() -> None:
    sunny, other = watch("sunny"), watch("other")
    solar = SolarSchedule.objects.create(event="sunrise", latitude=0, longitude=0)
    PeriodicTask.objects.filter(watch=sunny).update(interval=None, solar=solar)
    PeriodicTasks.update_changed()
    unnoticed_since(other, timedelta(days=1))

    assert notice() >= 1

    sunny.refresh_from_db()
    assert not sunny.enabled
    assert "give it an interval" in sunny.disabled_reason
    assert "due" in states(other)


def test_a_watch_that_is_switched_off_is_not_noticed() -> None:
    added = watch()
    services.disable(added, "noisy", by="person:ann")

    assert notice(now=now() + timedelta(days=2)) == 0
    assert waiting("a") == Waiting(watches=False, ticks=False)


def test_switching_a_watch_off_drops_the_tick_that_waits() -> None:
    added = watch()
    unnoticed_since(added, timedelta(days=1))
    notice()

    services.disable(added, "noisy", by="person:ann")

    assert set(states(added)) == {"skipped"}


def test_while_its_detector_is_paused_due_times_are_skipped_on_record() -> None:
    added = watch(missed="all")
    pause_components(Component.objects.filter(name="disk_low").values_list("id", flat=True), by="x")
    unnoticed_since(added, timedelta(days=2))

    assert notice() == 0

    assert set(states(added)) == {"skipped"}
    assert {t.error for t in added.ticks.all()} == {"detector 'disk_low' is paused"}


def test_while_no_module_declares_its_detector_due_times_are_skipped_on_record() -> None:
    added = watch()
    node("a", CLEAN_UP)
    unnoticed_since(added, timedelta(days=1))

    assert notice() == 0

    assert "no loaded module declares detector 'disk_low'" in {t.error for t in added.ticks.all()}
