"""Text of strangers, made fit to be stored and shown."""

import unicodedata

_KEPT = "\n\t"


def printable(text: str) -> str:
    """The text with control, direction and surrogate characters escaped."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(char if _harmless(char) else _escaped(char) for char in text)


def bounded(text: str, length: int) -> str:
    """At most `length` characters: the beginning, a mark, and the end."""
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def _harmless(char: str) -> bool:
    return char in _KEPT or unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
