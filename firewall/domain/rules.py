"""Who may decide about what (F-5, F-12)."""

from dataclasses import dataclass
from enum import StrEnum

SHORTEST_REASON = 3


class Answer(StrEnum):
    """What a person may say."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Refusal(StrEnum):
    """Why a decision is not taken, in words for the one who wanted to decide."""

    NOT_A_PERSON = "only a signed-in, active person may decide; service accounts never"
    NO_PERMISSION = "you do not have the permission to approve this tier"
    DECIDED = "it has been decided already"
    EXPIRED = "it has expired, and expiry is no"
    OWN_REQUEST = "you requested this yourself; someone else has to approve it"
    NO_REASON = "a rejection needs a reason of three characters or more"


@dataclass(frozen=True)
class Decider:
    """The facts about who wants to decide."""

    principal: str
    tiers: frozenset[int]
    """The tiers this person may approve."""
    active: bool = True
    service: bool = False
    solo: bool = False
    """Whether this person may, for a recorded while, approve what they requested."""


@dataclass(frozen=True)
class Question:
    """The facts about what is to be decided."""

    requested_by: str
    tier: int
    pending: bool = True
    expired: bool = False


def may_decide(
    decider: Decider, question: Question, answer: Answer, comment: str
) -> Refusal | None:
    """The first rule that stands against it. Saying no to one's own request is always safe."""
    own = decider.principal == question.requested_by and not decider.solo
    rules = (
        (Refusal.NOT_A_PERSON, decider.service or not decider.active),
        (Refusal.NO_PERMISSION, question.tier not in decider.tiers),
        (Refusal.DECIDED, not question.pending),
        (Refusal.EXPIRED, question.expired),
        (Refusal.OWN_REQUEST, own and answer is Answer.APPROVED),
        (Refusal.NO_REASON, answer is Answer.REJECTED and not _is_reason(comment)),
    )
    return next((refusal for refusal, holds in rules if holds), None)


def _is_reason(comment: str) -> bool:
    return len(comment.strip()) >= SHORTEST_REASON
