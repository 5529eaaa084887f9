"""What was found, as it is kept, and why something did not work, short enough to stand beside."""

from typing import Any

from autonomy.sdk.evidence import Evidence, Verdict
from autonomy.sessions.text import bounded
from ledger.domain.ids import new_id

_LONGEST_TOLD = 600
_LONGEST_KEPT = 10_000
_TRACEBACK = "Traceback (most recent call last)"


def told(error: str) -> str:
    """A message in one line, or what a traceback ends with; all of it stands with the session."""
    words = error.strip().rpartition("\n")[2] if error.startswith(_TRACEBACK) else error
    line = " ".join(bounded(words.strip(), _LONGEST_TOLD).split())
    return line or "no check was made and no reason given"


def accepted(evidence: Evidence, *, looks: int, error: str = "") -> dict[str, Any]:
    """The evidence as it is kept: with an id, by which the chain of events knows it."""
    told = {"error": bounded(error, _LONGEST_KEPT)} if error else {}
    kept = evidence.model_dump(mode="json", exclude_none=True)
    return {"id": str(new_id()), **kept, "looks": looks, **told}


def unable(error: str, looks: int) -> dict[str, Any]:
    """What is kept of a look that found nothing out."""
    return accepted(Evidence(verdict=Verdict.INCONCLUSIVE), looks=looks, error=error)


def words_of(evidence: dict[str, Any]) -> str:
    """The checks that did not hold, in words."""
    bad = [c for c in evidence.get("checks", ()) if c["verdict"] != Verdict.VERIFIED]
    parts = [f"{c['looked_at']}: expected {c['expected']}, saw {c['seen']}" for c in bad]
    return ("; ".join(parts) or told(str(evidence.get("error", ""))))[:1500]
