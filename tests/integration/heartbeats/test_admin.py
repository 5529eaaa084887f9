"""The pages on which an operator sets up watches and sees what they found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from heartbeats import services
from heartbeats.models import Noticed, Tick, Watch
from heartbeats.services import fail, finish, finish_quiet
from tests.integration.heartbeats.setting import events, finding, node, now, states, taken, watch

pytestmark = pytest.mark.django_db

WATCHES = "/admin/heartbeats/watch/"


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", password="x"))
    return client


def filled(**changed: Any) -> dict[str, Any]:
    form = {
        "name": "disk",
        "detector": "disk_low",
        "params": '{"bound": 80}',
        "enabled": "on",
        "missed": "once",
        "every": "5m",
        "crontab": "",
        "timezone": "UTC",
        "at_0": "",
        "at_1": "",
    }
    return form | changed


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        page(client, address)
    return len(captured)


def test_a_watch_is_set_up_in_the_admin(client: Client) -> None:
    assert client.post(f"{WATCHES}add/", filled()).status_code == 302

    added = Watch.objects.get()
    assert (added.name, added.detector, added.params) == ("disk", "disk_low", {"bound": 80})
    assert str(added.schedule.scheduler) == "every 300 seconds"
    assert [payload["detector"] for payload in [events("watch_added")[0]["now"]]] == ["disk_low"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"every": "now and then"}, "is not a duration"),
        ({"params": '{"bound": 120}'}, "120 is greater than the maximum of 100"),
        ({"params": "{"}, "Enter a valid JSON"),
        ({"every": "", "crontab": "* * *"}, "has not five fields"),
        ({"crontab": "* * * * *"}, "give one of"),
        ({"detector": "disk_lwo"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_watch_that_cannot_work_is_refused_beside_its_field(
    client: Client, wrong: dict[str, str], words: str
) -> None:
    response = client.post(f"{WATCHES}add/", filled(**wrong))

    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Watch.objects.exists()


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ({"every": 300}, 'value="300s"'),
        ({"crontab": "0 7 * * mon-fri", "timezone": "Europe/Berlin"}, 'value="0 7 * * mon-fri"'),
        ({"at": datetime(2100, 1, 1, tzinfo=UTC)}, 'value="2100-01-01"'),
    ],
)
def test_the_form_shows_the_schedule_a_watch_has(
    client: Client, schedule: dict[str, Any], shown: str
) -> None:
    added = watch(**schedule)

    assert shown in page(client, f"{WATCHES}{added.id}/change/")


def test_a_watch_is_changed_and_switched_off_in_the_admin(client: Client) -> None:
    added = watch()

    changed = filled(every="1h", params="{}")
    del changed["enabled"], changed["name"]
    assert client.post(f"{WATCHES}{added.id}/change/", changed).status_code == 302

    added.refresh_from_db()
    assert str(added.schedule.scheduler) == "every 3600 seconds"
    assert not added.enabled
    assert len(events("watch_changed")) == 1


def test_saving_a_watch_as_it_is_changes_nothing(client: Client) -> None:
    added = services.put_to_work("disk", "disk_low", {"bound": 80}, every="5m", by="person:ann")

    client.post(f"{WATCHES}{added.id}/change/", filled(every="300s"))

    assert events("watch_changed") == []
    assert Watch.objects.get().next_due_at == added.next_due_at


@pytest.mark.parametrize("how", ["the button", "the action"])
def test_a_watch_is_taken_off_with_its_schedule(client: Client, how: str) -> None:
    added = watch()
    finish(taken(added), [finding()])

    if how == "the button":
        client.post(f"{WATCHES}{added.id}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [str(added.id)], "post": "yes"}
        client.post(WATCHES, chosen)

    assert not Watch.objects.exists()
    assert not PeriodicTask.objects.exists()


def test_watches_are_switched_and_told_to_look_from_the_list(client: Client) -> None:
    added = watch()

    def enabled_after(action: str) -> bool:
        chosen = {"action": action, "_selected_action": [str(added.id)]}
        assert client.post(WATCHES, chosen).status_code == 302
        added.refresh_from_db()
        return added.enabled

    assert not enabled_after("switch_off")
    assert enabled_after("switch_on")
    assert enabled_after("look_now")
    assert states(added) == ["due"]
    assert len(events("look_requested")) == 1


def test_the_list_of_watches_takes_the_same_statements_for_any_number(client: Client) -> None:
    finish(taken(watch("one")), [finding()])
    few = statements(client, WATCHES)
    for n in range(20):
        added = watch(f"w{n}", every=60 + n)
        fail(taken(added), "boom")

    assert statements(client, WATCHES) == few
    assert "on, 1 strikes" in page(client, WATCHES)


@pytest.mark.parametrize("model", ["tick", "noticed"])
def test_lists_of_what_was_noticed_take_the_same_statements_for_any_number(
    client: Client, model: str
) -> None:
    address = f"/admin/heartbeats/{model}/"
    finish(taken(watch("one")), [finding()])
    few = statements(client, address)
    for n in range(20):
        finish(taken(watch(f"w{n}")), [finding()])

    assert statements(client, address) == few
    assert "w19" in page(client, address)


def test_a_tick_shows_what_it_led_to_and_cannot_be_edited(client: Client) -> None:
    looked = finish(taken(watch()), [finding()])
    tick, noticed = Tick.objects.get(), Noticed.objects.get()

    shown = page(client, f"/admin/heartbeats/tick/{tick.id}/change/")

    assert "91 % full" in shown
    assert f"/admin/tasks/task/{looked.submitted[0]}/change/" in shown
    assert "91 % full" in page(client, f"/admin/heartbeats/noticed/{noticed.id}/change/")
    assert client.post(f"/admin/heartbeats/tick/{tick.id}/change/", {}).status_code == 403
    assert client.get("/admin/heartbeats/tick/add/").status_code == 403


def test_what_a_detector_printed_is_shown_as_text(client: Client) -> None:
    fail(taken(watch()), "<script>alert(1)</script>")

    shown = page(client, f"/admin/heartbeats/tick/{Tick.objects.get().id}/change/")

    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_the_schedules_of_beat_have_pages(client: Client) -> None:
    watch("one")
    watch("two", crontab="0 7 * * *")
    watch("three", at=now() + timedelta(days=1))
    rows = [PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule]

    for model in rows:
        address = f"/admin/django_celery_beat/{model._meta.model_name}/"
        page(client, address)
        page(client, f"{address}{model.objects.first().pk}/change/")
        page(client, f"{address}add/")


def test_the_list_of_schedules_takes_the_same_statements_for_any_number(client: Client) -> None:
    address = "/admin/django_celery_beat/periodictask/"
    watch("one")
    few = statements(client, address)
    for n in range(20):
        watch(f"w{n}", every=60 + n)

    assert statements(client, address) == few


def test_a_quiet_tick_is_told_apart_from_one_that_failed(client: Client) -> None:
    finish_quiet([(taken(watch("quiet")), "")])
    fail(taken(watch("loud")), "boom")

    shown = page(client, "/admin/heartbeats/tick/")

    assert "boom" in shown
    assert "done" in shown
    assert "failed" in shown
