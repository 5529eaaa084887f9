"""Showing stored text so that what a person reads is what is there."""

import unicodedata
from collections.abc import Iterator
from itertools import groupby

_PLAIN = frozenset(" \n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
# Drawn as nothing, or as a space, though Unicode counts them as letters, marks or symbols.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def segments(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it stands for characters that nobody would see."""
    for hidden, characters in groupby(text, key=_is_hidden):
        piece = "".join(characters)
        yield ("".join(map(_named, piece)) if hidden else piece), hidden


def revealed(text: str) -> str:
    """The text with every character that nobody would see written out, as `⟨U+202E⟩`."""
    return "".join(piece for piece, _ in segments(text))


def _is_hidden(character: str) -> bool:
    if character in _PLAIN:
        return False
    if character in _BLANK or unicodedata.category(character) in _HIDDEN:
        return True
    return "VARIATION SELECTOR" in unicodedata.name(character, "")


def _named(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"
