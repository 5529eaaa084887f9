"""How far sessions are cut off: the rungs of the ladder that a skill may ask for (C-18)."""

from enum import IntEnum


class Rung(IntEnum):
    """What is contained, besides what every lower rung contains."""

    PROCESS = 0
    FILES = 1
    NETWORK = 2
    SYSCALLS = 3

    @property
    def word(self) -> str:
        """As the author of a skill writes it."""
        return self.name.lower()


FOREIGN_CODE = Rung.NETWORK
"""The least for code that nobody here has read."""


def rung(word: str) -> Rung:
    """What an author wrote; raises ValueError."""
    for known in Rung:
        if known.word == word:
            return known
    raise ValueError(f"{word!r} is unknown; use {', '.join(known.word for known in Rung)}")


def told(level: int) -> str:
    """A level in words: `2 (network)`."""
    return f"{level} ({Rung(level).word})" if level in list(Rung) else str(level)
