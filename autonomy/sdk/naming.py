"""What a component may be called, and what may be said about it: all of it is stored and shown."""

import re
from collections.abc import Iterable

from autonomy.sdk.errors import SkillDeclarationError

LONGEST = 200
LONGEST_DESCRIPTION = 500
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*")


def check_name(name: str) -> None:
    """Raise SkillDeclarationError for a name that cannot be typed, stored or told apart."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise SkillDeclarationError(
            f"{name[:LONGEST]!r} cannot be the name of a skill; use letters, digits, _ and -, in "
            f"parts with dots between, at most {LONGEST} characters, such as `mail.send`"
        )


def check_line(what: str, text: str, longest: int = LONGEST) -> None:
    """Raise SkillDeclarationError for text that is no line, or too long for one."""
    if not text.isprintable() or len(text) > longest:
        raise SkillDeclarationError(
            f"the {what} is one line of at most {longest} printable characters, not {text[:50]!r}"
        )


def labels_of(given: Iterable[str]) -> frozenset[str]:
    """The labels; raises SkillDeclarationError for one text, which would fall apart."""
    if isinstance(given, str):
        raise SkillDeclarationError(f"labels are a list: write [{given!r}]")
    labels = frozenset(given)
    for label in labels:
        check_line("label", label)
    return labels
