"""Every write to tasks: submit, claim, renew, settle, cancel, reconcile."""

from autonomy.tasks.services.cancel import cancel
from autonomy.tasks.services.claim import Claim, Claimed, claim, refuse, renew
from autonomy.tasks.services.effects import begin_effect, complete_effect, fenced
from autonomy.tasks.services.reconcile import reconcile
from autonomy.tasks.services.settle import Ending, await_evidence, hold_for_approval, plan_accepted, settle
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

__all__ = [
    "BadRequest",
    "ChainStopped",
    "Child",
    "Claim",
    "Claimed",
    "Ending",
    "SubmitRefused",
    "Submitted",
    "UnknownDependency",
    "await_evidence",
    "begin_effect",
    "cancel",
    "claim",
    "complete_effect",
    "fenced",
    "hold_for_approval",
    "plan_accepted",
    "reconcile",
    "refuse",
    "renew",
    "settle",
    "submit",
    "submit_children",
]
