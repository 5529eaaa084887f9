"""The headline figures as people read them: a label, a value, and the words that go with it."""

from dataclasses import dataclass

from autonomy.domain.explain import spoken
from ledger.domain.figures import Figures

NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Told:
    """One figure."""

    label: str
    value: str
    words: str


def told(found: Figures) -> list[Told]:
    """All of them, in the order in which they are read."""
    return [
        Told(
            "verified", percent(found.verified_rate), f"of {found.ended:,} that ended by themselves"
        ),
        Told("false done", percent(found.false_done_rate), found.false_done_words),
        Told("first attempt", percent(found.first_attempt_rate), "verified at once"),
        Told("after a retry", percent(found.after_retry_rate), "verified at a later attempt"),
        Told("interventions", _number(found.interventions_per_week), "by people, per week"),
        Told("cost", dollars(found.dollars_per_day), "per day"),
        _wait("decision", found.decision_p50_seconds, found.decision_p95_seconds, "to dispatched"),
        Told("nodes busy", percent(found.node_utilisation), "of the time their slots were there"),
        _wait("queue wait", found.queue_p50_seconds, found.queue_p95_seconds, "to running"),
    ]


def percent(share: float | None) -> str:
    """`93.4 %`; nothing is rounded up to all of it, or down to none."""
    if share is None:
        return NONE
    shown = round(100 * share, 1)
    if shown in (0.0, 100.0) and share not in (0.0, 1.0):
        return "< 0.1 %" if share < 0.5 else "> 99.9 %"
    return f"{shown:g} %"


def seconds(duration: float | None) -> str:
    """`12 ms`, `1.4 s`, `3 min`."""
    if duration is None:
        return NONE
    if duration < 1:
        return f"{1000 * duration:.3g} ms"
    return f"{duration:.2g} s" if duration < 10 else spoken(duration)


def dollars(amount: float) -> str:
    """`$1.50`, and more places where it is little."""
    return f"${amount:.4f}" if 0 < amount < 0.1 else f"${amount:,.2f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _wait(label: str, half: float | None, most: float | None, until: str) -> Told:
    if half is None:
        return Told(label, NONE, f"from ready {until}")
    return Told(label, seconds(half), f"from ready {until}; 95 % within {seconds(most)}")
