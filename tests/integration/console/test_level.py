"""`stop`, `resume` and `level`, from the command line and on the first page (D-19, F-11)."""

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.utils import timezone

from autonomy.domain.states import State
from autonomy.engine.models import Prediction, Trust
from autonomy.tasks.models import Task
from console.host.exits import Exit
from firewall.domain.levels import Level
from firewall.models import Dial
from firewall.selectors import level
from ledger.models import Event
from tests.integration.console.conftest import Autonomy, a_task, member

pytestmark = pytest.mark.django_db

STOP = "/admin/firewall/dial/1/stop/"


def running() -> Task:
    """A task that a node holds."""
    return a_task(state=State.RUNNING, node="n1", lease_until=timezone.now())


def test_stop_stops_and_resume_goes_on(autonomy: Autonomy) -> None:
    assert autonomy("stop", "--reason", "lunch").code == Exit.OK
    assert level() is Level.OFF

    ran = autonomy("resume", "--reason", "back again", "--json")

    assert ran.shape["level"] == "full"
    told = Event.objects.filter(type="autonomy_level_changed").order_by("id")
    assert [event.actor for event in told] == ["person:operator"] * 2


def test_stop_leaves_what_runs_and_stop_now_ends_it(autonomy: Autonomy) -> None:
    tasks = [running(), running()]

    assert autonomy("stop", "--json").shape["told_to_end"] == 0
    assert not Task.objects.exclude(cancel_requested_at=None).exists()

    assert autonomy("stop", "--now", "--json").shape["told_to_end"] == 2
    assert Task.objects.filter(cancel_requested_at__isnull=False).count() == len(tasks)
    assert autonomy("stop", "--now", "--json").shape["told_to_end"] == 0


def test_resuming_what_is_not_stopped_is_refused(autonomy: Autonomy) -> None:
    ran = autonomy("resume")

    assert ran.code == Exit.REFUSED
    assert "nothing is stopped" in ran.err


def test_the_ceiling_is_set_with_a_reason_and_shown_with_it(autonomy: Autonomy) -> None:
    assert autonomy("level", "set", "ask").code == Exit.USAGE
    assert autonomy("level", "set", "ask", "--reason", "audit week").code == Exit.OK

    told = autonomy("level").out

    assert "ask: tier 2 and tier 3 wait for a person" in told
    assert "person:operator: audit week" in told


def test_a_level_that_does_not_exist_is_refused(autonomy: Autonomy) -> None:
    assert autonomy("level", "set", "turbo", "--reason", "faster").code == Exit.USAGE
    assert level() is Level.FULL


def test_the_first_page_shows_the_level_and_offers_the_button(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()

    assert "autonomy: full" in page
    assert STOP in page


def test_looking_at_the_button_stops_nothing_and_posting_does(desk: Client) -> None:
    assert desk.get(STOP).status_code == 200
    assert level() is Level.FULL

    assert desk.post(STOP, {"reason": ""}).status_code == 400
    assert level() is Level.FULL

    answer = desk.post(STOP, {"reason": "smoke", "now": "on"}, follow=True)
    assert level() is Level.OFF
    assert "autonomy: off" in answer.content.decode()


def test_every_page_says_that_everything_is_stopped(desk: Client) -> None:
    Dial.objects.update(ceiling=F("ceiling") - 4)

    assert "autonomy: off" in desk.get("/admin/tasks/task/").content.decode()


def test_the_page_of_the_dial_tells_its_evidence(desk: Client) -> None:
    Dial.objects.update(chosen=2, chosen_reason="confidence is 45 %", evidence={"checked": 120})

    page = desk.get("/admin/firewall/dial/1/change/").content.decode()

    for told in ("confidence is 45 %", "checked", "120", "ask"):
        assert told in page


@pytest.mark.parametrize("page", ["stop", "resume", "ceiling"])
def test_who_may_only_look_turns_nothing(client: Client, viewer: User, page: str) -> None:
    client.force_login(viewer)

    answer = client.post(
        f"/admin/firewall/dial/1/{page}/", {"reason": "because", "level": "off", "now": "on"}
    )

    assert answer.status_code == 403
    assert level() is Level.FULL


def test_an_operator_may_stop_and_not_resume(client: Client, db: None) -> None:
    client.force_login(member("olga", "operator"))

    client.post(STOP, {"reason": "smoke"})
    assert level() is Level.OFF

    assert client.post("/admin/firewall/dial/1/resume/", {"reason": "fine"}).status_code == 403
    assert level() is Level.OFF


def test_the_ceiling_is_set_on_a_page_of_its_own(desk: Client) -> None:
    desk.post("/admin/firewall/dial/1/ceiling/", {"reason": "audit", "level": "careful"})

    assert level() is Level.CAREFUL


def test_the_numbers_behind_the_level_are_told(autonomy: Autonomy) -> None:
    Trust.objects.update_or_create(pk=1, defaults={"confidence": 912_000, "checked": 40})

    told = autonomy("level", "--json").shape["evidence"]

    assert (told["confidence"], told["predictions_checked"]) == (0.912, 40)
    assert told["break_even"] == 0.8333
    assert "confidence: 0.912" in autonomy("level").out


@pytest.mark.parametrize(
    ("came_true", "words"), [(True, "yes"), (False, "no"), (None, "void")], ids=str
)
def test_predictions_are_shown_in_words(desk: Client, came_true: bool | None, words: str) -> None:
    made = Prediction.objects.create(
        kind="node_alive", subject="n1", by=timezone.now(), checked_at=timezone.now(),
        came_true=came_true, seen={"silent_seconds": 99},
    )  # fmt: skip

    listed = desk.get("/admin/engine/prediction/").content.decode()
    page = desk.get(f"/admin/engine/prediction/{made.pk}/change/").content.decode()

    assert "node n1 stays alive" in listed
    assert words in listed
    assert "silent_seconds" in page
