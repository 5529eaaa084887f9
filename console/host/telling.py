"""Saying something on the error stream, where perhaps nobody listens any more."""

import sys
from time import strftime


def tell(what: str) -> None:
    """Write a line. Nothing depends on it: a terminal that is gone ends nobody's work."""
    try:
        sys.stderr.write(what + "\n")
        sys.stderr.flush()
    except OSError:
        return  # whoever listened has hung up, and there is no one else to tell


def note(what: str) -> None:
    """The same with the time, for what is read later."""
    tell(f"{strftime('%F %T')} {what}")
