"""Whether a node does its work: it claims and finishes, and does not only ping (D-5)."""

from dataclasses import dataclass

from autonomy.domain.priority import MILLION

CLAIMS_WITHIN = 20.0
"""Seconds in which a node takes what was given to it, while it has a slot free."""

FIRST_REST = 60.0
LONGEST_REST = 600.0


@dataclass(frozen=True)
class Doing:
    """What a node does, as the database knows it. Seconds."""

    slots: int
    in_use: int = 0
    unclaimed_for: float = 0.0  # the oldest of what it was given and could take
    overdue: float = 0.0  # how far what it runs is past every limit it has
    overdue_task: str = ""
    claimed_since: bool = False  # since it was found unwell


@dataclass(frozen=True)
class Health:
    """What was found, and since when (microseconds); `failures` counts trials it did not take."""

    unwell: str = ""
    since: int | None = None
    failures: int = 0

    @property
    def rest_seconds(self) -> float:
        """How long it is left alone before it is tried again: longer after each failed trial."""
        doublings = min(max(self.failures - 1, 0), 10)
        return min(FIRST_REST * 2.0**doublings, LONGEST_REST)

    def on_trial(self, now: int) -> bool:
        """Whether it is given one task again, to see if it takes it."""
        if not self.unwell or self.since is None or not self.failures:
            return False
        return not self.since <= now < self.since + round(self.rest_seconds * MILLION)


def examined(health: Health, doing: Doing, now: int) -> Health:
    """The health from now on; the same where nothing changed."""
    if doing.overdue > 0:
        words = f"does not finish: task {doing.overdue_task} is past all its limits"
        return Health(words, _since(health, words, now))
    if doing.unclaimed_for > CLAIMS_WITHIN and doing.in_use < doing.slots:
        return _not_claiming(health, doing, now)
    if health.unwell and (not health.failures or doing.claimed_since):
        return Health()
    return health


def _not_claiming(health: Health, doing: Doing, now: int) -> Health:
    """Found the first time, or again in its trial."""
    if health.failures and not health.on_trial(now):
        return health
    words = (
        f"does not claim: a task waited there for {doing.unclaimed_for:.0f} s beside a free slot"
    )
    return Health(words, now, health.failures + 1)


def _since(health: Health, words: str, now: int) -> int:
    return health.since if health.unwell == words and health.since is not None else now
