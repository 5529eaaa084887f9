"""Why something did not work, short enough to stand beside a task."""

from typing import Any

from autonomy.sdk.evidence import Verdict
from autonomy.sessions.text import bounded

_LONGEST_TOLD = 600
_TRACEBACK = "Traceback (most recent call last)"


def told(error: str) -> str:
    """A message in one line, or what a traceback ends with; all of it stands with the session."""
    words = error.strip().rpartition("\n")[2] if error.startswith(_TRACEBACK) else error
    line = " ".join(bounded(words.strip(), _LONGEST_TOLD).split())
    return line or "no check was made and no reason given"


def words_of(evidence: dict[str, Any]) -> str:
    """The checks that did not hold, in words."""
    bad = [c for c in evidence.get("checks", ()) if c["verdict"] != Verdict.VERIFIED]
    parts = [f"{c['looked_at']}: expected {c['expected']}, saw {c['seen']}" for c in bad]
    return ("; ".join(parts) or told(str(evidence.get("error", ""))))[:1500]
