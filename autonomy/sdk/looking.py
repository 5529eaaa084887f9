"""What is true of the look that a verifier makes now: how long it has waited, what it can reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """The circumstances of one look. Where a look cannot reach, it cannot say no."""

    waited_seconds: float = 0.0
    """Since the session ended, by the database's clock."""
    network: bool = True
    """Whether the skill has declared a network, and with it its verifier."""


_PLAIN = Look()
_look: ContextVar[Look] = ContextVar("look", default=_PLAIN)


def current() -> Look:
    """The look that is being made."""
    return _look.get()


@contextmanager
def looking(look: Look) -> Iterator[None]:
    """Make this look in the block."""
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)
