"""Text from the outside, made safe for a terminal and honest for a reader."""

import unicodedata

_KEPT = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with control, bidirectional and zero-width characters written as `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def one_line(text: str, limit: int = 200) -> str:
    """The same on a single line, cut with an ellipsis."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _shown(char: str) -> str:
    if char in _KEPT or unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape", errors="backslashreplace").decode()
