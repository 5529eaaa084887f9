"""The admin shows what is asked and takes answers only through the one function."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from firewall.models import Approval, Decision
from tests.integration.firewall.conftest import asked

pytestmark = pytest.mark.django_db

Person = Callable[..., User]


def _signed_in(account: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(account)
    return client


def _page(approval: Approval, name: str = "change") -> str:
    return reverse("admin:firewall_approval_change", args=[approval.pk]).replace("change", name)


def _answer(client: Client, approval: Approval, name: str, **said: str) -> tuple[int, str]:
    """Look at the page, then send its form, as a browser does."""
    shown = client.get(_page(approval, name)).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    answer = client.post(_page(approval, name), {**hidden, **said}, follow=True)
    return answer.status_code, answer.content.decode()


def test_an_approver_reads_exactly_what_will_run_and_approves_it(ada: User) -> None:
    approval = asked(args={"to": "eve\u202e@example.org"}, diff="- old\n+ new\u200b <b>")
    client = _signed_in(ada)

    shown = client.get(_page(approval)).content.decode()
    assert "eve</span><mark>⟨U+202E⟩</mark><span>@example.org" in shown
    assert "<mark>⟨U+200B⟩</mark><span> &lt;b&gt;" in shown
    assert approval.action_digest in shown
    status, told = _answer(client, approval, "approve", comment="fine")

    assert (status, "The action is approved" in told) == (200, True)
    approval.refresh_from_db()
    assert (approval.decision, approval.decided_by) == (Decision.APPROVED, ada)
    assert approval.comment == "fine"


def test_the_page_of_an_answer_shows_what_is_answered(ada: User) -> None:
    approval = asked(args={"to": "eve\u202e@example.org"})

    page = _signed_in(ada).get(_page(approval, "approve"))

    shown = page.content.decode()
    assert "<mark>⟨U+202E⟩</mark>" in shown
    assert "service:beat" in shown
    assert 'name="referrer" content="no-referrer"' in shown
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_looking_changes_nothing(ada: User, name: str) -> None:
    approval = asked()

    assert _signed_in(ada).get(_page(approval, name)).status_code == 200
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_an_answer_from_another_site_is_refused(ada: User, name: str) -> None:
    approval = asked()
    said = {"comment": "because", "digest": approval.action_digest}

    assert _signed_in(ada).post(_page(approval, name), said).status_code == 403
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


def test_a_rejection_asks_for_a_reason(ada: User) -> None:
    approval, client = asked(), _signed_in(ada)

    status, _ = _answer(client, approval, "reject", comment="no")
    assert status == 400
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING

    _answer(client, approval, "reject", comment="not to her")
    approval.refresh_from_db()
    assert (approval.decision, approval.comment) == (Decision.REJECTED, "not to her")


def test_the_requester_is_told_that_someone_else_has_to_approve(ada: User) -> None:
    approval = asked(requested_by="person:ada")

    _, told = _answer(_signed_in(ada), approval, "approve")

    assert "someone else has to approve it" in told
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


def test_what_was_shown_is_what_is_answered(ada: User) -> None:
    approval = asked()

    _, told = _answer(_signed_in(ada), approval, "approve", digest="0" * 64)

    assert "look again" in told
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


def test_the_second_to_answer_is_told_who_was_first(ada: User, ben: User) -> None:
    approval = asked()
    first, second = _signed_in(ada), _signed_in(ben)
    shown = second.get(_page(approval, "approve")).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    _answer(first, approval, "reject", comment="not to her")

    late = second.post(_page(approval, "approve"), hidden)

    assert late.status_code == 403
    approval.refresh_from_db()
    assert approval.decided_by == ada


@pytest.mark.parametrize("group", ["viewer", "operator", "admin"])
def test_others_may_look_and_are_offered_no_answer(person: Person, group: str) -> None:
    approval = asked()
    client = _signed_in(person("cleo", group, is_staff=True))

    shown = client.get(_page(approval))

    assert shown.status_code == 200
    assert _page(approval, "approve") not in shown.content.decode()
    assert client.get(_page(approval, "approve")).status_code == 403
    approval.refresh_from_db()
    assert approval.decision == Decision.PENDING


def test_an_approver_is_offered_both_answers_while_it_waits(ada: User) -> None:
    approval, client = asked(), _signed_in(ada)
    for name in ("approve", "reject"):
        assert _page(approval, name) in client.get(_page(approval)).content.decode()

    _answer(client, approval, "approve")

    for name in ("approve", "reject"):
        assert _page(approval, name) not in client.get(_page(approval)).content.decode()


def test_the_list_shows_what_waits(ada: User) -> None:
    waiting, answered = asked(skill="waits.for\u202eme"), asked(skill="was.answered")
    client = _signed_in(ada)
    _answer(client, answered, "approve")
    listed = reverse("admin:firewall_approval_changelist")

    shown = client.get(listed).content.decode()
    assert "waits.for⟨U+202E⟩me" in shown
    assert "was.answered" not in shown
    assert "was.answered" in client.get(listed, {"standing": "all"}).content.decode()
    assert str(waiting.pk) not in client.get(listed, {"standing": "approved"}).content.decode()


def test_nothing_can_be_edited_added_or_deleted_even_by_a_superuser(person: Person) -> None:
    approval = asked()
    client = _signed_in(person("root", is_staff=True, is_superuser=True))

    shown = client.get(_page(approval)).content.decode()

    assert 'name="_save"' not in shown
    assert client.get(reverse("admin:firewall_approval_add")).status_code == 403
    assert client.get(_page(approval, "delete")).status_code == 403


@pytest.mark.parametrize("pk", ["nonsense", "00000000-0000-7000-8000-00000000000a"])
def test_an_approval_that_is_not_there_is_refused(ada: User, pk: str) -> None:
    address = reverse("admin:firewall_approval_changelist") + f"{pk}/approve/"

    assert _signed_in(ada).get(address).status_code == 403
