"""A person is asked about exact bytes, once, and silence is no."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from firewall.domain.action import canonical, digest
from firewall.models import Approval, Decision
from firewall.selectors import approved, waiting
from firewall.services import AskedTooLate, decide, expire_due, request, void
from ledger.models import Event
from tests.integration.firewall.conftest import asked, events, expired, question
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


def test_a_question_keeps_the_bytes_it_is_about() -> None:
    asking = question(diff="+ a line\0")

    approval = request(asking)

    assert approval.action.encode() == canonical(asking.action)
    assert approval.action_digest == digest(asking.action)
    assert (approval.skill, approval.tier, approval.decision) == ("mail.send", 3, "pending")
    assert approval.diff == "+ a line\ufffd"
    event = Event.objects.get()
    assert (event.type, event.actor) == ("approval_requested", "service:beat")
    assert event.payload["action_digest"] == approval.action_digest
    assert event.cause == ["schedule:nightly"]


def test_asking_again_about_the_same_bytes_is_the_same_question() -> None:
    asking = question()

    assert request(asking) == request(asking)
    assert events() == ["approval_requested"]


def test_asking_about_other_bytes_takes_the_first_question_back() -> None:
    first = asked()
    second = asked(task_id=first.task_id, args={"to": "eve@example.org"})

    first.refresh_from_db()
    assert (first.decision, second.decision) == (Decision.VOID, Decision.PENDING)
    assert events() == ["approval_requested", "approval_void", "approval_requested"]


def test_what_was_granted_stands_for_its_bytes_and_no_others(ada: User) -> None:
    asking = question()
    granted = decide(request(asking).pk, ada, "approved", "")

    assert request(asking) == granted
    assert approved(asking.task_id, granted.action_digest) == granted
    assert approved(asking.task_id, "0" * 64) is None

    asked(task_id=asking.task_id, version="2")
    assert approved(asking.task_id, granted.action_digest) is None
    granted.refresh_from_db()
    assert (granted.decision, granted.decided_by) == (Decision.VOID, ada)


def test_what_has_expired_cannot_be_asked() -> None:
    with pytest.raises(AskedTooLate):
        asked(lasting=-1)


@pytest.mark.django_db(transaction=True)
def test_questions_put_at_once_are_one() -> None:
    asking = question()

    answers = at_once(*[lambda: request(asking)] * 8)

    assert len(set(answers)) == 1
    assert events() == ["approval_requested"]


def test_nobody_answering_is_a_no() -> None:
    late, open_still = expired(), asked()

    assert expire_due(10) == 1

    late.refresh_from_db()
    assert late.decision == Decision.EXPIRED
    assert late.decided_by is None
    assert list(waiting()) == [open_still]
    assert events()[-1] == "approval_expired"
    assert expire_due(10) == 0


def test_no_more_expire_at_once_than_asked_for() -> None:
    for _ in range(3):
        expired()

    assert [expire_due(2), expire_due(2)] == [2, 1]


def test_what_has_expired_and_was_not_swept_does_not_stand(ada: User) -> None:
    late = expired()

    assert list(waiting()) == []
    assert approved(late.task_id, late.action_digest) is None


def test_a_question_can_be_taken_back(ada: User) -> None:
    waiting_one, granted, other = asked(), asked(), asked()
    decide(granted.pk, ada, "approved", "fine")

    assert void([waiting_one.task_id, granted.task_id], "the task was cancelled") == 2
    assert void([waiting_one.task_id, granted.task_id], "again") == 0

    assert list(waiting()) == [other]
    assert approved(granted.task_id, granted.action_digest) is None
    last = Event.objects.order_by("id").last()
    assert last is not None
    assert last.payload["reason"] == "the task was cancelled"


def test_the_most_dangerous_waits_first_then_what_expires_first() -> None:
    names = [("calm", 1, 10), ("later", 3, 900), ("sooner", 3, 60)]
    for skill, tier, lasting in names:
        asked(skill=skill, tier=tier, lasting=lasting)

    assert [approval.skill for approval in waiting()] == ["sooner", "later", "calm"]


@pytest.mark.parametrize(
    "change",
    [
        {"action": "{}"},
        {"action_digest": "0" * 64},
        {"tier": 1},
        {"requested_by": "person:eve"},
        {"skill": "other"},
    ],
)
def test_a_question_cannot_be_changed_once_put(change: dict[str, object]) -> None:
    asked()

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Approval.objects.update(**change)


def test_the_time_to_answer_cannot_be_stretched() -> None:
    approval = asked()

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Approval.objects.update(expires_at=approval.expires_at + timedelta(days=1))


@pytest.mark.parametrize("change", [{"decision": "approved"}, {"comment": "x"}])
def test_an_answer_cannot_be_changed(ada: User, change: dict[str, object]) -> None:
    decide(asked().pk, ada, "rejected", "not today")

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Approval.objects.update(**change)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_there_is_no_answer_without_a_person(decision: str) -> None:
    asked()

    with pytest.raises(IntegrityError, match="answered_by_a_person"), transaction.atomic():
        Approval.objects.update(decision=decision)


def test_a_question_cannot_be_removed() -> None:
    approval = asked()

    with pytest.raises(IntegrityError, match="removed"), transaction.atomic():
        approval.delete()
