"""The admin: every page answers, shows what there is, and changes only what it may."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from autonomy.domain.states import State
from autonomy.engine.models import Leadership, Pass, Weights
from autonomy.tasks.models import Artifact, Session, Task
from config.sidebar import PAGES
from console.models import Token
from console.services import issue_token
from ledger.domain.ids import new_id
from tests.integration.console.conftest import a_task, approval_of

pytestmark = pytest.mark.django_db


def page_of(row: Any) -> str:
    """The address of a row's page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def text_of(client: Client, address: str) -> str:
    """What a page says."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize(
    "model", admin.site._registry, ids=lambda model: str(model._meta.label_lower)
)
def test_every_list_answers_the_operator(desk: Client, model: Any, done_task: Task) -> None:
    meta = model._meta
    if not desk.get("/admin/").wsgi_request.user.has_perm(
        f"{meta.app_label}.view_{meta.model_name}"
    ):
        pytest.skip("not for operators")

    text_of(desk, reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))


def test_every_page_of_the_sidebar_is_there(desk: Client) -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert {model for pages in PAGES.values() for _, _, model in pages} <= registered


def test_the_page_of_a_task_shows_its_evidence_and_what_belongs_to_it(
    desk: Client, done_task: Task, small_map: None
) -> None:
    page = text_of(desk, page_of(done_task))

    for told in ("junit.xml", "412", "repo.survey", "report.md", "push", "detector:repo_changed"):
        assert told in page


def test_the_first_page_shows_what_waits_what_ended_and_the_nodes(
    desk: Client, done_task: Task, held_task: Task, small_map: None
) -> None:
    asked = approval_of(held_task)

    page = text_of(desk, desk.get("/", follow=True).wsgi_request.path)

    assert page_of(asked) in page
    assert page_of(done_task) in page
    for told in ("Move main to 9f2a.", "1 of 1", "alive", "verified today", "first attempt"):
        assert told in page


def test_the_first_page_costs_the_same_however_much_there_is(desk: Client, small_map: None) -> None:
    approval_of(a_task("repo.merge", tier=3, state=State.HELD))
    few = _statements(desk, "/admin/")
    for _ in range(9):
        approval_of(a_task("repo.merge", tier=3, state=State.HELD))
        a_task(state=State.RUNNING)

    assert _statements(desk, "/admin/") <= few + 1  # verdicts are read where something runs


def test_a_task_a_person_was_asked_about_leads_to_the_question(
    desk: Client, held_task: Task
) -> None:
    assert page_of(approval_of(held_task)) in text_of(desk, page_of(held_task))


def test_the_page_of_a_task_says_why_in_words(desk: Client, held_task: Task) -> None:
    assert "It waits for a person&#x27;s approval." in text_of(desk, page_of(held_task))


def test_what_a_session_printed_is_text_and_never_a_page(desk: Client, done_task: Task) -> None:
    page = text_of(desk, page_of(Session.objects.get()))

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_an_artifact_that_is_elsewhere_is_said_to_be(desk: Client, done_task: Task) -> None:
    assert "kept on the node that made it" in text_of(desk, page_of(Artifact.objects.get()))


def test_the_pages_of_the_engine_show_what_was_decided(desk: Client) -> None:
    weighed = [{"node": "n2", "note": "", "reason": "90% likely"}]
    decision = {"task": str(a_task().pk), "node": "n2", "reason": "n2 scores best"}
    made = Pass.objects.create(
        weights_version=1,
        world={},
        world_hash="cd" * 32,
        decisions=[{**decision, "candidates": weighed}],
    )
    weights = Weights.objects.create(values={"dependents": 2.5}, set_by="person:ada")
    lease = Leadership.objects.create(name="engine", holder=new_id(), until=made.at)

    assert "n2 scores best" in text_of(desk, page_of(made))
    assert "90% likely" in text_of(desk, page_of(made))
    assert "2.5" in text_of(desk, page_of(weights))
    assert str(lease.holder) in text_of(desk, page_of(lease))


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_a_task(desk: Client, done_task: Task, page: str) -> None:
    address = reverse("admin:tasks_task_changelist") + page.format(done_task.pk)

    assert desk.post(address, {"post": "yes"}).status_code == 403
    assert Task.objects.filter(pk=done_task.pk).exists()


def test_nobody_edits_a_task(desk: Client, done_task: Task) -> None:
    assert desk.post(page_of(done_task), {"state": "ready"}).status_code == 403


def test_a_task_is_found_by_its_id_and_by_the_beginning_of_its_skill(
    desk: Client, done_task: Task
) -> None:
    other = a_task("mail.read")
    found = reverse("admin:tasks_task_changelist") + "?q="

    assert page_of(other) not in text_of(desk, found + str(done_task.pk))
    assert page_of(done_task) in text_of(desk, found + str(done_task.pk))
    assert page_of(other) in text_of(desk, found + "mail.")


def test_filters_narrow_the_list(desk: Client, done_task: Task, small_map: None) -> None:
    waiting = a_task()
    listed = reverse("admin:tasks_task_changelist")

    assert page_of(done_task) not in text_of(desk, f"{listed}?standing=live")
    assert page_of(waiting) not in text_of(desk, f"{listed}?standing=done&node=n1&skill=repo.lint")


def test_the_operator_cancels_a_task_with_a_reason(desk: Client) -> None:
    task = a_task()

    asked = desk.get(reverse("admin:tasks_task_cancel_one", args=[task.pk]))
    assert Task.objects.get(pk=task.pk).state == State.READY, "looking changes nothing"
    desk.post(asked.wsgi_request.path, {"reason": "wrong branch", "_form_submitted": "1"})

    task.refresh_from_db()
    assert task.state == State.CANCELLED
    assert "person:operator" in task.reason
    assert "wrong branch" in task.reason


def test_several_tasks_are_cancelled_from_the_list(desk: Client) -> None:
    tasks = [a_task(), a_task()]

    desk.post(
        reverse("admin:tasks_task_changelist"),
        {"action": "cancel_selected", "_selected_action": [str(task.pk) for task in tasks]},
    )

    assert set(Task.objects.values_list("state", flat=True)) == {State.CANCELLED}


def test_a_viewer_sees_tasks_and_cannot_cancel_them(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    task = a_task()
    cancel = reverse("admin:tasks_task_cancel_one", args=[task.pk])

    assert cancel not in text_of(client, page_of(task))
    answer = client.post(cancel, {"reason": "no", "_form_submitted": "1"})

    assert answer.status_code == 403
    assert Task.objects.get(pk=task.pk).state == State.READY


def test_a_token_is_revoked_and_never_shown(desk: Client, operator: User) -> None:
    token = issue_token(operator, "laptop")
    listed = reverse("admin:console_token_changelist")

    assert token not in text_of(desk, listed)
    assert token not in text_of(desk, page_of(Token.objects.get()))
    desk.post(listed, {"action": "revoke", "_selected_action": [str(Token.objects.get().pk)]})

    assert Token.objects.get().revoked_at is not None


def test_the_list_of_tasks_costs_the_same_however_many_there_are(desk: Client) -> None:
    listed = reverse("admin:tasks_task_changelist")
    a_task()
    few = _statements(desk, listed)
    for _ in range(40):
        a_task()

    assert _statements(desk, listed) == few


def _statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        text_of(client, address)
    return len([q for q in captured if not re.match(r"SAVEPOINT|RELEASE", q["sql"])])
