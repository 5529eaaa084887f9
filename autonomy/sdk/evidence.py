"""What a verifier answers: what was looked at, what was expected, what was seen (C-19, C-20)."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Verdict(StrEnum):
    """What the evidence says."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    UNVERIFIED = "unverified"  # the skill has no verifier; never counts as a success


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    looked_at: str
    expected: str
    seen: str
    verdict: Verdict


class Evidence(BaseModel):
    """The verdict of a verifier and the checks it rests on."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    checks: tuple[Check, ...] = ()
    quality: float | None = Field(default=None, ge=0, le=1)

    @classmethod
    def of(cls, *checks: Check, quality: float | None = None) -> "Evidence":
        """Evidence from checks: refuted by any refuted one, verified only when all are."""
        verdicts = [check.verdict for check in checks]
        if Verdict.REFUTED in verdicts:
            verdict = Verdict.REFUTED
        elif verdicts and all(verdict is Verdict.VERIFIED for verdict in verdicts):
            verdict = Verdict.VERIFIED
        else:
            verdict = Verdict.INCONCLUSIVE
        return cls(verdict=verdict, checks=checks, quality=quality)


def check(looked_at: str, *, expected: object, seen: object) -> Check:
    """A check that is verified when what was seen equals what was expected."""
    verdict = Verdict.VERIFIED if expected == seen else Verdict.REFUTED
    return Check(looked_at=looked_at, expected=str(expected), seen=str(seen), verdict=verdict)
