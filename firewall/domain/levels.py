"""The autonomy level: how much may run alone right now (D-19)."""

from enum import StrEnum


class Level(StrEnum):
    """From all that its tier allows down to nothing; each holds back what those above it do."""

    FULL = "full"
    CAREFUL = "careful"  # smaller batches, half the window, tier 1 plans first
    ASK = "ask"  # tier 2 and 3 only with a person's approval
    OBSERVE = "observe"  # only what changes nothing
    OFF = "off"  # nothing starts

    @property
    def rank(self) -> int:
        """0 for off to 4 for full: how the database compares them."""
        return _RANKED.index(self)

    @property
    def words(self) -> str:
        """What it means, in one line."""
        return _WORDS[self]


_RANKED = (Level.OFF, Level.OBSERVE, Level.ASK, Level.CAREFUL, Level.FULL)
_WORDS = {
    Level.FULL: "everything runs as its tier allows",
    Level.CAREFUL: "smaller batches, and tier 1 is planned before it runs",
    Level.ASK: "tier 2 and tier 3 wait for a person",
    Level.OBSERVE: "only what changes nothing runs",
    Level.OFF: "nothing starts",
}


def of_rank(rank: int | None) -> Level:
    """The level of a stored rank; one that is missing or unknown stops everything."""
    return _RANKED[rank] if rank is not None and 0 <= rank < len(_RANKED) else Level.OFF


def lowest(*levels: Level) -> Level:
    """The level at which the least may run."""
    return min(levels, key=lambda level: level.rank)
