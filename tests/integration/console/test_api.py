"""The API: JSON for people with a token and the permission, problems for everybody else (U-6)."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from autonomy.domain.redaction import HIDDEN
from autonomy.tasks.models import OutputChunk, Session, Task
from autonomy.tasks.selectors import streams
from console.api import throttling
from console.api.throttling import Throttle
from console.host.home import CHECKOUT
from console.services import issue_token
from ledger.domain.ids import new_id
from tests.integration.console.conftest import a_task

pytestmark = pytest.mark.django_db

COLLECTIONS = ["tasks", "outcomes", "figures"]


class Caller:
    """Somebody with a token."""

    def __init__(self, person: User | None = None, token: str = "") -> None:
        token = token or (issue_token(person, "test") if person else "")
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=headers)


@pytest.fixture
def viewing(viewer: User) -> Caller:
    return Caller(viewer)


@pytest.fixture
def session(done_task: Task) -> Session:
    return Session.objects.get(task=done_task)


def every_address(task: Task, session: Session) -> list[str]:
    own = f"sessions/{session.pk}"
    return [*COLLECTIONS, f"tasks/{task.pk}", own, f"{own}/output"]


def is_problem(response: Any, status: int, code: str) -> bool:
    told: dict[str, Any] = response.json()
    return bool(
        response.status_code == told["status"] == status
        and told["code"] == code
        and response["Content-Type"] == "application/problem+json"
        and told["request_id"] == response["X-Request-ID"]
        and told.keys() == {"type", "title", "status", "code", "detail", "request_id"}
    )


# -- who may


def test_without_a_token_nothing_is_told(done_task: Task, session: Session) -> None:
    for address in every_address(done_task, session):
        answer = Caller().get(address)

        assert is_problem(answer, 401, "not_authenticated")
        assert answer["WWW-Authenticate"] == 'Bearer realm="autonomy"'


@pytest.mark.parametrize("token", ["wrong", "é", "a b", "x" * 10_000])
def test_a_wrong_token_is_refused_everywhere(done_task: Task, session: Session, token: str) -> None:
    for address in every_address(done_task, session):
        answer = Client().get(f"/api/v1/{address}", HTTP_AUTHORIZATION=f"Bearer {token}")

        assert is_problem(answer, 401, "token_refused")


def test_being_signed_in_to_the_admin_opens_no_door(desk: Client) -> None:
    assert is_problem(desk.get("/api/v1/tasks"), 401, "not_authenticated")


def test_a_person_without_the_permission_is_told_nothing(done_task: Task, session: Session) -> None:
    nobody = Caller(User.objects.create_user("nobody"))
    for address in every_address(done_task, session):
        assert is_problem(nobody.get(address), 403, "not_permitted")


def test_a_viewer_reads_everything(viewing: Caller, done_task: Task, session: Session) -> None:
    for address in every_address(done_task, session):
        answer = viewing.get(address)

        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed(viewing: Caller, method: str) -> None:
    answer = getattr(viewing.client, method)("/api/v1/tasks", {}, "application/json")

    assert is_problem(answer, 405, "method_not_allowed")


# -- what is asked for badly


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("tasks?order_by=tenant__secret", "unknown_parameter"),
        ("tasks?filter[state__regex]=(a%2B)%2B$", "unknown_parameter"),
        ("outcomes?x__password__startswith=a", "unknown_parameter"),
        ("tasks?state=finished", "invalid"),
        ("tasks?run=../../etc", "invalid"),
        ("figures?days=0", "invalid"),
        ("figures?days=93", "invalid"),
        ("figures?days=1e9", "invalid"),
        ("figures?days=%D9%A3", "invalid"),
    ],
)
def test_what_cannot_be_asked_for_is_said(viewing: Caller, address: str, code: str) -> None:
    assert is_problem(viewing.get(address), 400, code)


@pytest.mark.parametrize("place", ["-1", "x", "1.5", "9" * 16, "9" * 5_000])
def test_a_place_that_is_none_is_refused(viewing: Caller, session: Session, place: str) -> None:
    assert is_problem(viewing.get(f"sessions/{session.pk}/output?place={place}"), 400, "invalid")


@pytest.mark.parametrize("address", ["nothing", "tasks/", "tasks/x", "", "tasks/1/2/3"])
def test_an_address_that_is_none_is_a_problem_too(viewing: Caller, address: str) -> None:
    assert is_problem(viewing.get(address), 404, "not_found")
    assert is_problem(Caller().get(address), 404, "not_found")


@pytest.mark.parametrize("what", ["tasks/{}", "sessions/{}", "sessions/{}/output"])
def test_what_is_not_there_is_not_found(viewing: Caller, what: str) -> None:
    assert is_problem(viewing.get(what.format(new_id())), 404, "not_found")


def test_a_form_that_cannot_be_given_is_refused(viewing: Caller) -> None:
    assert is_problem(viewing.get("tasks", Accept="application/xml"), 406, "not_acceptable")


def test_an_address_that_asks_too_often_waits_before_it_is_looked_up(
    viewing: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.door.ADDRESSES", Throttle(most=3))
    for left in (2, 1, 0):
        assert viewing.get("tasks")["RateLimit-Remaining"] == str(left)

    with CaptureQueriesContext(connection) as queries:
        answer = viewing.get("tasks")

    assert is_problem(answer, 429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= throttling.WINDOW_SECONDS
    assert len(queries) == 0


def test_only_so_many_addresses_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_ADDRESSES", 3)
    throttle = Throttle(most=1)
    for address in "abcd":
        throttle.count(address)

    assert not throttle.count("a").overdrawn
    assert throttle.count("d").overdrawn


# -- what is told


def test_tasks_come_newest_first_page_by_page(viewing: Caller) -> None:
    tasks = [a_task() for _ in range(5)]

    seen, address = [], "tasks?limit=2"
    while address:
        page = viewing.get(address).json()
        seen += [task["id"] for task in page["results"]]
        address = (page["next"] or "").partition("/api/v1/")[2]

    assert seen == [str(task.pk) for task in reversed(tasks)]


def test_a_page_is_bounded_and_costs_the_same_however_long(viewing: Caller) -> None:
    for _ in range(3):
        a_task()
    with CaptureQueriesContext(connection) as few:
        viewing.get("tasks")
    Task.objects.bulk_create([_copy() for _ in range(250)])
    with CaptureQueriesContext(connection) as many:
        page = viewing.get("tasks?limit=1000000000").json()

    assert len(page["results"]) == 200
    # The token, its use, two for permissions, the tasks, their verdicts.
    assert len(few) == len(many) == 6


def _copy() -> Task:
    task = a_task()
    task.pk = new_id()
    return task


def test_tasks_are_filtered(viewing: Caller, done_task: Task) -> None:
    live = a_task()

    def ids(query: str) -> list[str]:
        return [task["id"] for task in viewing.get(f"tasks?{query}").json()["results"]]

    assert ids("state=live") == [str(live.pk)]
    assert ids("state=done&skill=repo.lint") == [str(done_task.pk)]
    assert str(live.pk) not in ids(f"run={done_task.run_id}")


def test_a_task_is_told_whole_and_without_secrets(viewing: Caller, done_task: Task) -> None:
    secrets = {"password": "x", "note": "ghp_abcdefghijklmnopqrstuvwxyz0123456789"}
    Task.objects.filter(pk=done_task.pk).update(args=secrets, result=secrets)

    told = viewing.get(f"tasks/{done_task.pk}").json()

    assert told["args"] == told["result"] == {"password": HIDDEN, "note": HIDDEN}
    assert told["verdict"] == "verified"
    assert [kept["name"] for kept in told["artifacts"]] == ["report.md"]
    assert [session["attempt"] for session in told["sessions"]] == [1]


def test_a_session_tells_what_it_spent(viewing: Caller, session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(tokens=7, dollars="0.000001")

    told = viewing.get(f"sessions/{session.pk}").json()

    assert (told["tokens"], told["dollars"]) == (7, "0.000001")
    assert told["links"]["output"] == f"/api/v1/sessions/{session.pk}/output"


def test_outcomes_are_filtered(viewing: Caller, done_task: Task) -> None:
    found = viewing.get("outcomes?verdict=verified&skill=repo.lint").json()["results"]

    assert [outcome["task_id"] for outcome in found] == [str(done_task.pk)]
    assert found[0]["evidence"]["checks"][0]["seen"] == "412"
    assert viewing.get("outcomes?verdict=refuted").json()["results"] == []


def test_the_headline_figures_are_told(viewing: Caller) -> None:
    assert "verified_rate" in viewing.get("figures?days=30").json()


# -- output


def test_the_output_of_a_session_that_is_over_is_read_from_any_place(
    viewing: Caller, session: Session
) -> None:
    whole = viewing.get(f"sessions/{session.pk}/output").json()
    rest = viewing.get(f"sessions/{session.pk}/output?place=8").json()

    assert whole["text"] == "<script>alert(1)</script>"
    assert rest["text"] == "alert(1)</script>"
    assert whole["ended"] == rest["ended"] == "ok"
    assert whole["place"] == rest["place"] == len(whole["text"])


def test_the_output_of_a_session_that_runs_is_read_from_its_rows(
    viewing: Caller, session: Session
) -> None:
    Session.objects.filter(pk=session.pk).update(ended="", output="")
    for start, text in ((100, "abc"), (103, "def")):
        OutputChunk.objects.create(session_id=session.pk, start=start, text=text)

    def at(place: int) -> dict[str, Any]:
        told: dict[str, Any] = viewing.get(f"sessions/{session.pk}/output?place={place}").json()
        return told

    assert at(0)["text"] == "[… 100 characters not shown …]\nabcdef"
    assert (at(0)["skipped"], at(0)["place"], at(0)["ended"]) == (100, 106, "")
    assert at(102)["text"] == "cdef"
    assert (at(106)["text"], at(106)["place"]) == ("", 106)


def test_what_was_left_out_of_a_long_output_is_said_once(viewing: Caller, session: Session) -> None:
    output = "begin\n[… 900 characters left out …]\nthe end"
    Session.objects.filter(pk=session.pk).update(output=output)

    told = viewing.get(f"sessions/{session.pk}/output?place=500").json()

    assert told["text"] == "[… 900 characters not shown …]\nthe end"


def test_a_person_watches_only_so_much_at_once(
    viewing: Caller, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PLACES", streams.Places())
    monkeypatch.setattr(streams, "MOST_OF_ONE", 2)
    address = f"sessions/{session.pk}/output"
    held = [viewing.get(address, Accept="text/event-stream") for _ in range(2)]

    assert [answer.status_code for answer in held] == [200, 200]
    answer = viewing.get(address, Accept="text/event-stream")
    assert is_problem(answer, 429, "too_many_streams")
    assert answer["Retry-After"] == "5"
    monkeypatch.setattr(streams, "MOST_IN_ALL", 2)
    other = Caller(User.objects.create_superuser("root"))
    assert is_problem(other.get(address, Accept="text/event-stream"), 503, "too_many_watchers")


def test_a_place_that_nobody_uses_is_given_to_somebody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "UNBEGUN_SECONDS", 0.0)
    places = streams.Places()
    for _ in range(streams.MOST_OF_ONE * 2):
        places.take("ada")

    assert len(places) == 1


def test_a_page_of_the_api_holds_no_markup(viewing: Caller) -> None:
    answer = viewing.get("tasks", Accept="text/html,*/*")

    assert not re.search(rb"<html|<form", answer.content)


def test_the_manual_names_every_code_and_every_address() -> None:
    page = (CHECKOUT / "docs" / "api.md").read_text()
    code = (CHECKOUT / "console" / "api" / "problems.py").read_text()

    codes = set(re.findall(r'"([a-z]+_[a-z_]+)"', code)) - {"auth_header", "request_id"}
    assert len(codes) > 8
    assert {name for name in codes if f"`{name}`" not in page} == set()
    assert {name for name in COLLECTIONS if f"| `{name}`" not in page} == set()
