"""Every write to tasks: submit, claim, renew, settle, cancel, reconcile."""

from autonomy.tasks.services.cancel import cancel
from autonomy.tasks.services.claim import Claim, Claimed, claim, raise_tier, refuse, renew
from autonomy.tasks.services.effects import (
    StaleWrite,
    begin_effect,
    complete_effect,
    fenced,
    forget_begun_effects,
    undo_effect,
    unknown_fate,
)
from autonomy.tasks.services.evidence import Left, await_evidence, await_evidence_of
from autonomy.tasks.services.quality import quality_bar, review_quality
from autonomy.tasks.services.reconcile import after_failure, reconcile
from autonomy.tasks.services.sessions import SessionEnd
from autonomy.tasks.services.settle import (
    Ending,
    hold,
    plan_accepted,
    settle,
)
from autonomy.tasks.services.spending import BadSpending, LimitReached, Spent, spend
from autonomy.tasks.services.submit import (
    BadRequest,
    ChainStopped,
    Child,
    SubmitRefused,
    Submitted,
    UnknownDependency,
    submit,
    submit_children,
)
from autonomy.tasks.services.verifying import Adopted, Again, adopt, look_again, release

__all__ = [
    "Adopted",
    "Again",
    "BadRequest",
    "BadSpending",
    "ChainStopped",
    "Child",
    "Claim",
    "Claimed",
    "Ending",
    "Left",
    "LimitReached",
    "SessionEnd",
    "Spent",
    "StaleWrite",
    "SubmitRefused",
    "Submitted",
    "UnknownDependency",
    "adopt",
    "after_failure",
    "await_evidence",
    "await_evidence_of",
    "begin_effect",
    "cancel",
    "claim",
    "complete_effect",
    "fenced",
    "forget_begun_effects",
    "hold",
    "look_again",
    "plan_accepted",
    "quality_bar",
    "raise_tier",
    "reconcile",
    "refuse",
    "release",
    "renew",
    "review_quality",
    "settle",
    "spend",
    "submit",
    "submit_children",
    "undo_effect",
    "unknown_fate",
]
