"""Putting detectors to work: checked before they are, with one schedule row each."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import ProtectedError
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from heartbeats import services
from heartbeats.models import Watch
from heartbeats.services import UnknownWatch, WatchRefused, put_to_work, take_off
from tests.integration.heartbeats.setting import events, node, now, watch
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


def test_beat_is_told_to_ring_for_a_watch() -> None:
    added = watch(every="5m")

    row = PeriodicTask.objects.get()
    assert (row.name, row.task, row.queue, row.enabled) == (
        "watch disk",
        "heartbeats.tick",
        "ticks",
        True,
    )
    assert json.loads(row.kwargs) == {"watch": str(added.id)}
    assert str(row.scheduler) == "every 300 seconds"
    assert row.expire_seconds == 300


def test_without_a_schedule_it_looks_as_often_as_its_detector_declares() -> None:
    added = put_to_work("disk", "disk_low", by="person:ann")

    assert str(added.schedule.scheduler) == "every 300 seconds"


def test_its_first_due_time_is_the_schedules_next() -> None:
    added = watch(every="5m")

    assert added.next_due_at is not None
    assert timedelta() < added.next_due_at - now() <= timedelta(minutes=5)
    assert added.next_due_at.timestamp() % 300 == 0


def test_a_crontab_follows_its_zone() -> None:
    added = watch(crontab="30 6 * * mon-fri", timezone="Asia/Kathmandu")

    assert added.next_due_at is not None
    assert added.next_due_at.astimezone(UTC).time().isoformat() == "00:45:00"
    assert added.next_due_at.astimezone(UTC).isoweekday() <= 5


def test_a_single_moment_is_waited_for_once() -> None:
    moment = datetime(2100, 1, 1, tzinfo=UTC)

    added = watch(at=moment)

    assert added.next_due_at is None or added.next_due_at == moment
    assert added.schedule.one_off


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"every": "soon"}, "every: 'soon' is not a duration"),
        ({"every": 0.5}, "not a whole number of seconds"),
        ({"every": 0}, "not a whole number of seconds"),
        ({"every": "1m", "crontab": "* * * * *"}, "give one of"),
        ({"crontab": "* * *"}, "has not five fields"),
        ({"crontab": "61 * * * *"}, "crontab:"),
        ({"crontab": "0 0 31 2 *"}, "crontab: .*31"),
        ({"crontab": "0 0 * * *", "timezone": "Mars/Base"}, "crontab: .*Mars/Base"),
    ],
)
def test_a_schedule_that_cannot_be_followed_is_refused_in_words(
    schedule: dict[str, Any], words: str
) -> None:
    with pytest.raises(WatchRefused, match=words):
        watch(**schedule)

    assert not Watch.objects.exists()
    assert not PeriodicTask.objects.exists()


def test_parameters_that_do_not_fit_are_refused_with_the_field_named() -> None:
    with pytest.raises(WatchRefused, match="bound: 120 is greater than the maximum of 100"):
        put_to_work("disk", "disk_low", {"bound": 120}, by="person:ann")
    with pytest.raises(WatchRefused, match="bund"):
        put_to_work("disk", "disk_low", {"bund": 80}, by="person:ann")


@pytest.mark.parametrize("name", ["", "n" * 191, "two\nlines", "nul\0"])
def test_a_name_that_cannot_be_shown_or_stored_is_refused(name: str) -> None:
    with pytest.raises(WatchRefused, match="name: use 1 to 190 printable characters"):
        watch(name)


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(WatchRefused, match="missed: 'never' is none of skip, once, all"):
        watch(missed="never")


def test_a_name_that_beat_knows_already_is_refused() -> None:
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    PeriodicTask.objects.create(name="watch disk", task="x", interval=every)

    with pytest.raises(WatchRefused, match=r"name: .* already exists"):
        watch()


@pytest.mark.django_db(transaction=True)
def test_nodes_that_put_the_same_to_work_at_once_agree() -> None:
    at_once(*[lambda: watch(every="7m")] * 4)

    assert Watch.objects.count() == IntervalSchedule.objects.count() == 1
    assert len(events("watch_added")) == 1


def test_an_unknown_detector_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        WatchRefused, match=r"no detector 'disk_lwo' is declared; did you mean disk_low\?"
    ):
        put_to_work("disk", "disk_lwo", by="person:ann")


def test_putting_the_same_to_work_again_changes_nothing() -> None:
    first = watch(every="5m")
    beat_was_told_at = PeriodicTask.objects.get().date_changed

    again = watch(every=300)

    assert again.id == first.id
    assert PeriodicTask.objects.get().date_changed == beat_was_told_at
    assert len(events("watch_added")) == 1
    assert events("watch_changed") == []


def test_a_changed_watch_says_what_it_was_before() -> None:
    watch(every="5m")

    changed = watch(every="1m")

    assert str(changed.schedule.scheduler) == "every 60 seconds"
    [payload] = events("watch_changed")
    assert payload["before"]["schedule"] == "every 300 seconds"
    assert payload["now"]["schedule"] == "every 60 seconds"


def test_watches_with_equal_schedules_share_the_row() -> None:
    watch("one", every="5m")
    watch("two", every=300)

    assert IntervalSchedule.objects.count() == 1


def test_a_watch_taken_off_leaves_nothing_to_ring_for() -> None:
    watch()

    take_off("disk", by="person:ann")

    assert not Watch.objects.exists()
    assert not PeriodicTask.objects.exists()
    assert len(events("watch_removed")) == 1


def test_what_is_not_there_cannot_be_taken_off() -> None:
    with pytest.raises(UnknownWatch, match="'disk'"):
        take_off("disk", by="person:ann")


def test_the_schedule_of_a_watch_cannot_be_deleted_from_under_it() -> None:
    watch()

    with pytest.raises(ProtectedError):
        PeriodicTask.objects.get().delete()


def test_a_watch_is_switched_off_and_on_with_its_bell() -> None:
    added = watch()

    assert services.disable(added, "too noisy", by="person:ann")
    assert not services.disable(added, "too noisy", by="person:ann")
    assert not PeriodicTask.objects.get().enabled
    assert Watch.objects.get().disabled_reason == "too noisy"

    assert services.enable(added, by="person:ann")
    assert not services.enable(added, by="person:ann")
    assert PeriodicTask.objects.get().enabled
    assert [len(events("detector_disabled")), len(events("detector_enabled"))] == [1, 1]
