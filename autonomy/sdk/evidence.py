"""What a verifier answers: what was looked at, what was expected, what was seen (C-19, C-20)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autonomy.domain.amounts import seconds
from autonomy.sdk import looking

MOST_TOLD = 2_000
"""Characters of what was looked at, expected or seen; what is longer is cut and says so."""


class Verdict(StrEnum):
    """What the evidence says."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    UNVERIFIED = "unverified"  # the skill has no verifier; never counts as a success


def _cut(text: str) -> str:
    if len(text) <= MOST_TOLD:
        return text
    return f"{text[:MOST_TOLD]}… ({len(text)} characters)"


Told = Annotated[str, AfterValidator(_cut)]


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    looked_at: Told
    expected: Told
    seen: Told
    verdict: Verdict
    found: Mapping[str, Told] = {}
    """Hashes and ids of what was seen, by name: `sha256`, `message_id`, `commit`."""


class Evidence(BaseModel):
    """The verdict of a verifier and the checks it rests on."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    checks: tuple[Check, ...] = ()
    quality: float | None = Field(default=None, ge=0, le=1)
    open_for: float | None = Field(default=None, gt=0)
    """Seconds left for what is not so yet to become so; the next look is then at the latest."""

    @classmethod
    def of(cls, *checks: Check, quality: float | None = None) -> "Evidence":
        """Evidence from checks: refuted by any refuted one, verified only when all are."""
        evidence = all_of(*checks)
        return evidence if quality is None else evidence.model_copy(update={"quality": quality})


Part = Check | Evidence
"""What can be combined."""


def check(looked_at: str, *, expected: object, seen: object) -> Check:
    """A check that is verified when what was seen equals what was expected."""
    verdict = Verdict.VERIFIED if expected == seen else Verdict.REFUTED
    return Check(looked_at=looked_at, expected=str(expected), seen=str(seen), verdict=verdict)


def undecided(looked_at: str, *, expected: object, why: object) -> Check:
    """A check that could not be made: it says neither yes nor no."""
    return Check(
        looked_at=looked_at,
        expected=str(expected),
        seen=str(why) or "nothing",
        verdict=Verdict.INCONCLUSIVE,
    )


def all_of(*parts: Part) -> Evidence:
    """Verified when every part is; refuted by any refuted one; nothing is no evidence."""
    verdicts = {part.verdict for part in parts}
    if Verdict.REFUTED in verdicts:
        return _joined(parts, Verdict.REFUTED)
    return _joined(parts, Verdict.VERIFIED if verdicts == {Verdict.VERIFIED} else _OPEN)


def any_of(*parts: Part) -> Evidence:
    """Verified by any verified part; refuted when every part is; nothing is no evidence."""
    verdicts = {part.verdict for part in parts}
    if Verdict.VERIFIED in verdicts:
        return _joined(parts, Verdict.VERIFIED)
    return _joined(parts, Verdict.REFUTED if verdicts == {Verdict.REFUTED} else _OPEN)


def eventually(part: Part, *, within: str | float) -> Evidence:
    """What is refuted now is inconclusive until `within` after the session's end has passed.

    Nobody waits here: the node looks again, with back-off, until then.
    """
    left = seconds(within) - looking.current().waited_seconds
    evidence = all_of(part)
    if part.verdict is not Verdict.REFUTED or left <= 0:
        return evidence
    return evidence.model_copy(update={"verdict": _OPEN, "open_for": left})


_OPEN = Verdict.INCONCLUSIVE


def _joined(parts: tuple[Part, ...], verdict: Verdict) -> Evidence:
    """The checks of all parts; the lowest quality, and the shortest wait of what is still open."""
    given = [part for part in parts if isinstance(part, Evidence)]
    qualities = [part.quality for part in given if part.quality is not None]
    waits = [part.open_for for part in given if part.open_for is not None]
    return Evidence(
        verdict=verdict,
        checks=tuple(one for part in parts for one in _checks(part)),
        quality=min(qualities, default=None),
        open_for=min(waits, default=None) if verdict is _OPEN else None,
    )


def _checks(part: Part) -> tuple[Check, ...]:
    return (part,) if isinstance(part, Check) else part.checks
