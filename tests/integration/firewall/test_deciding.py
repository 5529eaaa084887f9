"""One function takes every answer, once, from someone who may give it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from firewall.domain.rules import Refusal
from firewall.models import Approval, Decision
from firewall.services import (
    AlreadyDecided,
    DecisionRefused,
    DigestDiffers,
    Expired,
    NotAllowed,
    SoloRefused,
    begin_solo,
    decide,
    end_solo,
)
from ledger.models import Event
from ledger.selectors import database_time
from tests.integration.firewall.conftest import asked, events, expired
from tests.support.threads import at_once
from tests.support.walls import walls_down

pytestmark = pytest.mark.django_db

Person = Callable[..., User]


def test_an_answer_is_kept_with_who_when_and_why(ada: User) -> None:
    approval = asked()

    decided = decide(approval.pk, ada, "approved", "looks\0 right", digest=approval.action_digest)

    assert (decided.decision, decided.decided_by) == (Decision.APPROVED, ada)
    assert decided.comment == "looks\ufffd right"
    assert decided.decided_at is not None
    assert abs(decided.decided_at - database_time()) < timedelta(seconds=5)
    event = Event.objects.get(type="approval_decided")
    assert (event.actor, event.stream_id) == ("person:ada", str(approval.pk))
    assert event.payload["decision"] == "approved"
    assert event.payload["solo"] is False


def test_the_second_answer_is_told_who_was_first(ada: User, ben: User) -> None:
    approval = asked()
    decide(approval.pk, ada, "rejected", "too early")

    with pytest.raises(AlreadyDecided, match="rejected already, by ada") as refused:
        decide(approval.pk, ben, "approved", "")

    assert refused.value.by == "ada"
    assert events().count("approval_decided") == 1


def test_what_was_taken_back_is_decided_by_the_platform(ada: User) -> None:
    approval = asked()
    asked(task_id=approval.task_id, version="2")

    with pytest.raises(AlreadyDecided, match="void already, by the platform"):
        decide(approval.pk, ada, "approved", "")


def test_too_late_is_no(ada: User) -> None:
    approval = expired()

    with pytest.raises(Expired):
        decide(approval.pk, ada, "approved", "")

    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


def test_nobody_approves_what_they_requested(ada: User) -> None:
    approval = asked(requested_by="person:ada")

    with pytest.raises(NotAllowed) as refused:
        decide(approval.pk, ada, "approved", "")

    assert refused.value.reason is Refusal.OWN_REQUEST


@pytest.mark.parametrize("group", ["viewer", "operator", "admin"])
def test_other_groups_do_not_approve(person: Person, group: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        decide(asked().pk, person("cleo", group), "approved", "")

    assert refused.value.reason is Refusal.NO_PERMISSION


def test_a_service_account_never_approves_not_even_as_superuser(person: Person) -> None:
    robot = person("robot", "service", "approver", is_superuser=True)

    with pytest.raises(NotAllowed) as refused:
        decide(asked().pk, robot, "approved", "")

    assert refused.value.reason is Refusal.NOT_A_PERSON


def test_an_account_that_was_switched_off_does_not_approve(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    with pytest.raises(NotAllowed):
        decide(asked().pk, ada, "approved", "")


def test_nobody_is_nobody() -> None:
    with pytest.raises(NotAllowed):
        decide(asked().pk, AnonymousUser(), "approved", "")  # type: ignore[arg-type]


def test_a_right_taken_away_is_gone_at_once(ada: User) -> None:
    assert ada.has_perm("firewall.approve_tier_3")  # the account now remembers its rights
    ada.groups.remove(Group.objects.get(name="approver"))

    with pytest.raises(NotAllowed):
        decide(asked().pk, ada, "approved", "")


def test_a_rejection_without_a_reason_is_refused(ada: User) -> None:
    approval = asked()

    with pytest.raises(NotAllowed, match="reason"):
        decide(approval.pk, ada, "rejected", " ")

    assert decide(approval.pk, ada, "rejected", "not now").decision == Decision.REJECTED


@pytest.mark.parametrize("answer", ["", "pending", "expired", "void", "yes", "APPROVED"])
def test_only_two_answers_are_taken(ada: User, answer: str) -> None:
    with pytest.raises(ValueError, match="not a valid Answer"):
        decide(asked().pk, ada, answer, "whatever")


def test_what_was_shown_has_to_be_what_is_asked(ada: User) -> None:
    approval = asked()

    with pytest.raises(DigestDiffers):
        decide(approval.pk, ada, "approved", "", digest="0" * 64)


def test_an_action_altered_in_the_database_is_not_approved(ada: User) -> None:
    approval = asked()
    with walls_down():
        Approval.objects.update(action=approval.action.replace("ada@", "eve@"))

    with pytest.raises(DigestDiffers, match="stored"):
        decide(approval.pk, ada, "approved", "", digest=approval.action_digest)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_two_hundred_times_are_one_answer_each_time(
    ada: User, ben: User
) -> None:
    approvals, together = [asked() for _ in range(200)], Barrier(2)

    def answer_all(by: User, answer: str) -> list[str]:
        return [_answer(approval, by, answer, together) for approval in approvals]

    answers = at_once(
        lambda: answer_all(ada, "approved"), lambda: answer_all(ben, "rejected"), limit_seconds=110
    )

    decisions = []
    for approval, *pair in zip(approvals, *answers, strict=True):
        approval.refresh_from_db()
        assert sorted(pair) == sorted([approval.decision, "too late"])
        assert approval.decided_by == (ada if approval.decision == "approved" else ben)
        decisions.append(approval.decision)
    assert events().count("approval_decided") == 200
    assert set(decisions) == {"approved", "rejected"}, "the race was none"


def _answer(approval: Approval, by: User, answer: str, together: Barrier) -> str:
    together.wait(20)
    try:
        return decide(approval.pk, by, answer, "because").decision
    except AlreadyDecided:
        return "too late"


def test_solo_mode_is_begun_by_an_admin_for_a_while_and_recorded(person: Person) -> None:
    cleo = person("cleo", "admin", "approver")
    approval = asked(requested_by="person:cleo")

    mode = begin_solo(cleo, lasting=timedelta(hours=2), reason="alone this week")
    decide(approval.pk, cleo, "approved", "")

    assert mode.until - mode.created_at == timedelta(hours=2)
    assert events() == ["approval_requested", "solo_began", "approval_decided"]
    assert Event.objects.get(type="approval_decided").payload["solo"] is True


def test_solo_mode_ends_by_itself_and_by_hand(person: Person) -> None:
    cleo = person("cleo", "admin", "approver")
    begin_solo(cleo, lasting=timedelta(microseconds=1), reason="alone this week")
    with pytest.raises(NotAllowed):
        decide(asked(requested_by="person:cleo").pk, cleo, "approved", "")

    begin_solo(cleo, lasting=timedelta(hours=1), reason="alone this week")
    assert end_solo(cleo) == 1
    with pytest.raises(NotAllowed):
        decide(asked(requested_by="person:cleo").pk, cleo, "approved", "")
    assert events().count("solo_ended") == 1


def test_solo_mode_is_for_the_one_who_began_it(person: Person, ada: User) -> None:
    begin_solo(person("cleo", "admin", "approver"), lasting=timedelta(hours=1), reason="alone")

    with pytest.raises(NotAllowed):
        decide(asked(requested_by="person:ada").pk, ada, "approved", "")


@pytest.mark.parametrize(
    ("groups", "hours", "reason"),
    [
        (["approver"], 1, "alone this week"),
        (["service", "admin"], 1, "alone this week"),
        (["admin"], 25, "alone this week"),
        (["admin"], 0, "alone this week"),
        (["admin"], 1, " "),
    ],
)
def test_solo_mode_has_limits(person: Person, groups: list[str], hours: int, reason: str) -> None:
    with pytest.raises(SoloRefused):
        begin_solo(person("cleo", *groups), lasting=timedelta(hours=hours), reason=reason)


def test_every_refusal_is_a_refused_decision() -> None:
    for kind in (AlreadyDecided, DigestDiffers, Expired, NotAllowed):
        assert issubclass(kind, DecisionRefused)
