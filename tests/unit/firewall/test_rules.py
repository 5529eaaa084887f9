"""Who may decide about what."""

from dataclasses import replace
from typing import Any

import pytest

from firewall.domain.rules import Answer, Decider, Question, Refusal, may_decide

ADA = Decider(principal="person:ada", tiers=frozenset({1, 2, 3}))
QUESTION = Question(requested_by="service:beat", tier=3)


def test_a_person_with_the_permission_may_approve_what_another_requested() -> None:
    assert may_decide(ADA, QUESTION, Answer.APPROVED, "") is None


@pytest.mark.parametrize(
    ("decider", "question", "refusal"),
    [
        ({"service": True}, {}, Refusal.NOT_A_PERSON),
        ({"active": False}, {}, Refusal.NOT_A_PERSON),
        ({"tiers": frozenset({1, 2})}, {}, Refusal.NO_PERMISSION),
        ({"tiers": frozenset({3})}, {"tier": 1}, Refusal.NO_PERMISSION),
        ({}, {"pending": False}, Refusal.DECIDED),
        ({}, {"expired": True}, Refusal.EXPIRED),
        ({}, {"requested_by": "person:ada"}, Refusal.OWN_REQUEST),
        # A service account is not let in by any other right.
        ({"service": True, "solo": True}, {"requested_by": "person:ada"}, Refusal.NOT_A_PERSON),
    ],
)
def test_a_rule_stands_against_it(
    decider: dict[str, Any], question: dict[str, Any], refusal: Refusal
) -> None:
    by, about = replace(ADA, **decider), replace(QUESTION, **question)

    assert may_decide(by, about, Answer.APPROVED, "fine") is refusal


def test_solo_mode_lets_a_person_approve_their_own_request() -> None:
    own = replace(QUESTION, requested_by="person:ada")

    assert may_decide(replace(ADA, solo=True), own, Answer.APPROVED, "") is None


def test_everyone_may_say_no_to_their_own_request() -> None:
    own = replace(QUESTION, requested_by="person:ada")

    assert may_decide(ADA, own, Answer.REJECTED, "a mistake") is None


@pytest.mark.parametrize("comment", ["", "  ", "no", " no \n"])
def test_a_rejection_needs_a_reason(comment: str) -> None:
    assert may_decide(ADA, QUESTION, Answer.REJECTED, comment) is Refusal.NO_REASON
    assert may_decide(ADA, QUESTION, Answer.REJECTED, comment + "pe!") is None
