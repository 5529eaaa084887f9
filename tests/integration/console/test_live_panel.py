"""The pages of a session and of its task show what it prints, with and without scripts."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from autonomy.domain.states import State
from autonomy.tasks.models import Session, Task
from autonomy.tasks.selectors import streams
from autonomy.tasks.services.output import Piece, keep_output
from tests.integration.console.conftest import a_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(db: None) -> Session:
    made = Session.objects.create(
        task=a_task(state=State.RUNNING), node="n1", purpose="run", attempt=1, epoch=1, version="v",
        limits={"tokens": 1000, "dollars": "0.500000"},
    )  # fmt: skip
    keep_output([Piece(made.pk, 0, "<b>counting</b>\n")], [])
    return made


@pytest.fixture
def own_places(monkeypatch: pytest.MonkeyPatch) -> streams.Places:
    places = streams.Places()
    monkeypatch.setattr(streams, "PLACES", places)
    return places


def text_of(desk: Client, row: Session | Task) -> str:
    kind = "session" if isinstance(row, Session) else "task"
    return desk.get(reverse(f"admin:tasks_{kind}_change", args=[row.pk])).content.decode()


def test_a_session_that_runs_is_shown_without_scripts(desk: Client, session: Session) -> None:
    for page in (text_of(desk, session), text_of(desk, session.task)):
        assert "&lt;b&gt;counting&lt;/b&gt;" in page
        assert "It runs. Reload to see what it prints next." in page


def test_the_panel_leads_the_script_to_the_stream_from_where_the_page_ends(
    desk: Client, session: Session
) -> None:
    page = text_of(desk, session)

    address = reverse("admin:tasks_session_output", args=[session.pk])
    assert f'data-live="{address}" data-place="16"' in page
    assert re.search(r'<script src="[^"]*autonomy/live\.js', page)


def test_the_script_is_a_file_that_makes_no_markup_of_what_was_printed() -> None:
    script = Path(str(finders.find("autonomy/live.js"))).read_text()

    assert "innerHTML" not in script
    assert "eval" not in script
    assert "http" not in script


def test_a_session_that_is_over_is_not_followed(desk: Client, done_task: Task) -> None:
    page = text_of(desk, Session.objects.get(task=done_task))

    assert "alert(1)" in page
    assert "data-live" not in page
    assert "data-live" not in text_of(desk, done_task)


def test_the_page_says_what_was_spent_of_what_was_allowed(desk: Client, session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(tokens=120, dollars="0.030001")

    page = text_of(desk, session)

    assert "120 of 1,000" in page
    assert "$0.030001 of $0.50" in page


def test_the_stream_is_for_those_who_may_see_sessions(
    client: Client, session: Session, own_places: streams.Places
) -> None:
    address = reverse("admin:tasks_session_output", args=[session.pk])
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))

    assert client.get(address).status_code == 403
    assert len(own_places) == 0


def test_the_stream_is_bounded_for_a_person(
    desk: Client, session: Session, own_places: streams.Places
) -> None:
    address = reverse("admin:tasks_session_output", args=[session.pk])
    answers = [desk.get(address) for _ in range(streams.MOST_OF_ONE + 1)]

    assert [answer.status_code for answer in answers] == [*[200] * streams.MOST_OF_ONE, 429]
    assert answers[0]["Content-Type"] == streams.CONTENT_TYPE
    assert answers[0]["X-Accel-Buffering"] == "no"


def test_arguments_and_results_are_shown_without_secrets(desk: Client, done_task: Task) -> None:
    secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    Task.objects.update(args={"password": "hunter22"}, result={"seen": secret})

    page = text_of(desk, done_task)

    assert "hunter22" not in page
    assert secret not in page
    assert page.count("[redacted]") == 2
