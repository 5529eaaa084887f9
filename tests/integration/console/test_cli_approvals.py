"""`approve`, `reject`, `solo`: a person decides after seeing exactly what would run."""

import io

import pytest
from django.contrib.auth.models import User

from autonomy.domain.states import State
from autonomy.tasks.models import Task
from console.host.exits import Exit
from firewall.models import Approval
from tests.integration.console.conftest import Autonomy, a_task, approval_of

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A keyboard with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def asked(held_task: Task) -> Approval:
    return approval_of(held_task)


def test_what_waits_is_listed_without_an_id(autonomy: Autonomy, asked: Approval) -> None:
    assert "Move main to 9f2a." in autonomy("approve").out
    (line,) = autonomy("approve", "--json").shape
    assert line["action_digest"] == asked.action_digest


def test_an_empty_inbox_says_so(autonomy: Autonomy) -> None:
    assert "nothing waits for a person" in autonomy("approve").out


def test_approve_shows_the_action_and_decides_it(autonomy: Autonomy, asked: Approval) -> None:
    ran = autonomy("approve", str(asked.pk)[-8:], "--yes", "--comment", "looks right")

    asked.refresh_from_db()
    assert (ran.code, asked.decision, asked.comment) == (Exit.OK, "approved", "looks right")
    assert asked.decided_by is not None
    for told in ("Move main to 9f2a.", asked.action_digest, "origin main 9f2a", "+new", "-old"):
        assert told in ran.out


def test_an_approval_is_found_by_its_task(autonomy: Autonomy, asked: Approval) -> None:
    assert autonomy("approve", str(asked.task_id)[-8:], "--yes").code == Exit.OK

    asked.refresh_from_db()
    assert asked.decision == "approved"


def test_nobody_at_the_terminal_and_no_yes_is_no_decision(
    autonomy: Autonomy, asked: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    assert autonomy("approve", str(asked.pk)).code == Exit.USAGE
    assert autonomy("approve", str(asked.pk), "--json").code == Exit.USAGE

    asked.refresh_from_db()
    assert asked.decision == "pending"


@pytest.mark.parametrize(
    ("typed", "decision"), [("y\n", "approved"), ("YES\n", "approved"), ("n\n", "pending"),
                            ("\n", "pending"), ("", "pending"), ("yep\n", "pending")],
)  # fmt: skip
def test_only_a_typed_yes_is_yes(
    autonomy: Autonomy,
    asked: Approval,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    decision: str,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    autonomy("approve", str(asked.pk))

    asked.refresh_from_db()
    assert asked.decision == decision


def test_reject_keeps_the_reason(autonomy: Autonomy, asked: Approval) -> None:
    ran = autonomy("reject", str(asked.pk), "--reason", "not on a Friday", "--yes", "--json")

    assert ran.shape["decision"] == "rejected"
    assert ran.shape["comment"] == "not on a Friday"
    assert ran.shape["decided_by"] == "operator"


def test_a_rejection_without_a_reason_is_refused(autonomy: Autonomy, asked: Approval) -> None:
    assert autonomy("reject", str(asked.pk), "--yes").code == Exit.USAGE
    assert autonomy("reject", str(asked.pk), "--yes", "--reason", " ").code == Exit.REFUSED

    asked.refresh_from_db()
    assert asked.decision == "pending"


def test_the_second_decision_is_told_who_was_first(autonomy: Autonomy, asked: Approval) -> None:
    autonomy("approve", str(asked.pk), "--yes")

    ran = autonomy("reject", str(asked.pk), "--reason", "too late", "--yes")

    assert ran.code == Exit.REFUSED
    assert "approved already, by operator" in ran.err


def test_a_hidden_character_in_what_is_asked_is_shown(autonomy: Autonomy, held_task: Task) -> None:
    hostile = approval_of(held_task, summary="pay \u202eevil\x1b[8m", diff="+\u200bzero\n")

    ran = autonomy("approve", str(hostile.pk), "--yes")

    assert "⟨U+202E⟩" in ran.out
    assert "⟨U+200B⟩" in ran.out
    assert "\x1b" not in ran.out


def test_no_one_approves_what_they_asked_for_but_in_solo_mode(autonomy: Autonomy) -> None:
    mine = a_task("repo.merge", tier=3, state=State.HELD, requested_by="person:operator")
    asked = approval_of(mine)

    refused = autonomy("approve", str(asked.pk), "--yes")
    assert refused.code == Exit.REFUSED
    assert "autonomy solo" in refused.err

    began = autonomy("solo", "--for", "30m", "--reason", "nobody else is here", "--json")
    assert began.shape["solo"] is True
    assert autonomy("approve", str(asked.pk), "--yes").code == Exit.OK

    assert autonomy("solo", "--end", "--json").shape == {"solo": False, "until": None}


@pytest.mark.parametrize("span", ["2d", "soon", "-1h"])
def test_solo_mode_is_short(autonomy: Autonomy, span: str) -> None:
    ran = autonomy("solo", f"--for={span}", "--reason", "nobody else is here")

    assert ran.code in (Exit.USAGE, Exit.REFUSED)
    assert autonomy("solo", "--json").shape["solo"] is False


def test_who_may_not_approve_is_refused(
    autonomy: Autonomy, operator: User, asked: Approval
) -> None:
    operator.groups.clear()

    assert autonomy("approve", str(asked.pk), "--yes").code == Exit.REFUSED
    asked.refresh_from_db()
    assert asked.decision == "pending"
