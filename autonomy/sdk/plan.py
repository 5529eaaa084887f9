"""What a pre-flight answers, and how an effect of unknown fate is settled."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from autonomy.sdk.errors import Ambiguous
from autonomy.sdk.evidence import Check, Evidence, Verdict, all_of


class Plan(BaseModel):
    """What a task would change, and whether it should go on (F-2)."""

    model_config = ConfigDict(frozen=True)

    go: bool
    summary: str
    diff: str = ""


class Settled(BaseModel):
    """The answer of a `reconcile` hook: whether an effect that was begun has happened (C-9)."""

    model_config = ConfigDict(frozen=True)

    happened: bool
    result: Any = None


Answer = Settled | Check | Evidence
"""What a `reconcile` hook may answer: a yes or no of its own, or what the world says."""


def settled(answer: Answer) -> Settled:
    """The yes or no in the answer; raises Ambiguous where evidence says neither."""
    if isinstance(answer, Settled):
        return answer
    evidence = all_of(answer)
    if evidence.verdict not in (Verdict.VERIFIED, Verdict.REFUTED):
        seen = "; ".join(f"{check.looked_at}: {check.seen}" for check in evidence.checks)
        raise Ambiguous(f"nobody can tell whether it happened: {seen or 'nothing was looked at'}")
    return Settled(happened=evidence.verdict is Verdict.VERIFIED)
