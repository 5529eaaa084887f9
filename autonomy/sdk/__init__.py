"""What the author of a skill needs: `skill`, `Context`, `Plan`, `Evidence`, `Scope`."""

from autonomy.sdk.context import Context, Submission, VerifierContext
from autonomy.sdk.errors import Ambiguous, DidNotHappen, Permanent, Transient
from autonomy.sdk.evidence import Check, Evidence, Verdict, all_of, any_of, eventually
from autonomy.sdk.plan import Plan, Settled
from autonomy.sdk.references import Ref
from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits, Skill, skill

__all__ = [
    "Ambiguous",
    "Check",
    "Context",
    "DidNotHappen",
    "Evidence",
    "Limits",
    "Permanent",
    "Plan",
    "Ref",
    "Scope",
    "Settled",
    "Skill",
    "Submission",
    "Transient",
    "Verdict",
    "VerifierContext",
    "all_of",
    "any_of",
    "eventually",
    "skill",
]
