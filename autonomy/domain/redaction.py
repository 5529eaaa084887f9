"""Secrets taken out of whatever is stored or shown: by known value, by name, by form.

hide = Redactor(["the password of the database"])
hide.text("postgres://ada:pw@db")        # postgres://ada:[redacted]@db
hide.value({"token": "x", "n": 1})       # JSON: {"token": "[redacted]", "n": 1}
hide.known({"token": "x"})               # only the known values: data that tasks go on with
stream = hide.stream()                   # text in pieces; a secret may be cut across them
stream.feed("postgres://ada:p") + stream.feed("w@db ") + stream.end()
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from autonomy.domain.shapes import (
    CUT,
    HIDDEN,
    LONGEST,
    OPEN,
    OPEN_CUT,
    OPEN_KEY,
    hidden,
    is_named_secret,
    writings,
)

__all__ = ["HIDDEN", "Redactor", "Scan", "Stream", "given_secrets"]

LOOK_BACK = 8_192
"""A stream keeps at most about this many characters back; a longer secret is not found in one."""

_DEEPEST = 50
_DENSE = re.compile(r"[A-Za-z0-9+/=_%-]{16,}")


class Redactor:
    """Knows some values, and what secrets look like."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(values)
        found = {text for value in self._values for text in writings(value)}
        needles = sorted(found, key=lambda needle: (-len(needle), needle))
        self._dense = [needle for needle in needles if _DENSE.fullmatch(needle)]
        self._others = [needle for needle in needles if not _DENSE.fullmatch(needle)]
        self.longest = max(map(len, needles), default=1)
        self.beginnings = {n[:end] for n in needles for end in range(1, len(n))}
        self.endings = {n[start:] for n in needles for start in range(1, len(n))}
        self.needles = needles

    def also(self, values: Iterable[str]) -> "Redactor":
        """One that knows these values too."""
        more = frozenset(values) - self._values
        return Redactor(self._values | more) if more else self

    def text(self, text: str) -> str:
        """The text without secrets."""
        if "[…" not in text:
            return hidden(self._without_known(text))
        return self._around_cuts(text)

    def value(self, value: Any) -> Any:
        """A JSON value without secrets."""
        return self._walk(value, self.text, named=True)

    def known(self, value: Any) -> Any:
        """A JSON value without the known values; what only looks like a secret stays."""
        return self._walk(value, self._without_known, named=False)

    def stream(self) -> "Stream":
        """For text that comes in pieces."""
        return Stream(self)

    def _without_known(self, text: str) -> str:
        for needle in self._others:
            if needle in text:
                text = text.replace(needle, HIDDEN)
        if not self._dense:
            return text
        runs = " ".join(_DENSE.findall(text))  # whatever is dense stands in one of these
        for needle in self._dense:
            if needle in runs:
                text = text.replace(needle, HIDDEN)
        return text

    def _around_cuts(self, text: str) -> str:
        """Half a secret beside a place where something was left out goes with the whole word."""
        marks = CUT.findall(text)
        parts = CUT.split(text)
        last = len(parts) - 1
        for number, part in enumerate(parts):
            if number < last:
                part = part[: open_from(self, part.removesuffix("\n"))]  # noqa: PLW2901
            if number > 0:
                part = part[self._begun_before(part) :]  # noqa: PLW2901
            parts[number] = hidden(self._without_known(part))
        return "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))

    def _begun_before(self, part: str) -> int:
        """How far reaches what may be the second half of a secret."""
        word = len(part) - len(part.lstrip("\n"))
        while word < len(part) and not part[word].isspace():
            word += 1
        for end in range(min(self.longest, len(part)), word, -1):
            if part[:end] in self.endings:
                return end
        return word

    def _walk(self, value: Any, clean: Callable[[str], str], *, named: bool, depth: int = 0) -> Any:
        if isinstance(value, str):
            return clean(value)
        if depth > _DEEPEST:
            return self._whole(value, clean)
        if isinstance(value, dict):
            return {
                clean(str(key)): HIDDEN
                if named and is_named_secret(str(key)) and _is_worth_hiding(item)
                else self._walk(item, clean, named=named, depth=depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._walk(item, clean, named=named, depth=depth + 1) for item in value]
        return value

    @staticmethod
    def _whole(value: Any, clean: Callable[[str], str]) -> Any:
        """What is nested too deep to be gone through stays if there is nothing to hide in it."""
        try:
            text = json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return HIDDEN
        return value if clean(text) == text else HIDDEN


class Stream:
    """Redacts text in pieces; keeps back, unseen, the end that may be the beginning of a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be shown by now."""
        held = self._held + text
        cut = open_from(self.redactor, held)
        if len(held) - cut > LOOK_BACK:
            cut = _outside_known(self.redactor, held, _known_from(self.redactor, held))
        self._held = held[cut:]
        return self.redactor.text(held[:cut])

    def end(self) -> str:
        """The rest: no more will come."""
        held, self._held = self._held, ""
        return self.redactor.text(held)


class Scan:
    """Looks for known values in bytes that come in pieces."""

    def __init__(self, redactor: Redactor) -> None:
        self._needles = [needle.encode(errors="surrogateescape") for needle in redactor.needles]
        self._overlap = max(map(len, self._needles), default=1) - 1
        self._before = b""
        self.found = False

    def feed(self, data: bytes) -> None:
        """Look at more; `found` says whether a value was among it."""
        if self.found or not self._needles:
            return
        seen = self._before + data
        self.found = any(needle in seen for needle in self._needles)
        self._before = seen[-self._overlap :] if self._overlap else b""


def given_secrets(value: Any, *, depth: int = 0) -> frozenset[str]:
    """The texts that stand under the name of a secret."""
    found: set[str] = set()
    if depth < _DEEPEST and isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and is_named_secret(str(key)):
                found.add(item)
            found |= given_secrets(item, depth=depth + 1)
    elif depth < _DEEPEST and isinstance(value, list | tuple):
        for item in value:
            found |= given_secrets(item, depth=depth + 1)
    return frozenset(found)


def open_from(redactor: Redactor, text: str) -> int:
    """Where the end of a text begins that may be the beginning of a secret."""
    tail = text[-(LOOK_BACK + LONGEST) :]
    before = len(text) - len(tail)
    cut = tail.rfind("[…")
    if cut >= 0 and OPEN_CUT.match(tail, cut):
        tail = tail[:cut]
    start = before + _unfinished(tail)
    return _outside_known(redactor, text, min(start, _known_from(redactor, text)))


def _unfinished(text: str) -> int:
    """Where the last word begins if it is not over, or the secret that it may belong to."""
    ends = [_last_word(text)]
    line = text.rfind("\n", 0, -1) + 1
    for pattern, since in ((OPEN, line), (OPEN_KEY, 0)):
        if found := pattern.search(text, since):
            ends.append(found.start())
    return min(ends)


def _last_word(text: str) -> int:
    """Signs alone are no word."""
    word = text.rsplit(None, 1)[-1] if text and not text[-1].isspace() else ""
    return len(text) - len(word) if any(map(str.isalnum, word)) else len(text)


def _known_from(redactor: Redactor, text: str) -> int:
    """Where the beginning of a known value stands at the end of a text."""
    for start in range(max(0, len(text) - redactor.longest), len(text)):
        if text[start:] in redactor.beginnings:
            return start
    return len(text)


def _outside_known(redactor: Redactor, text: str, cut: int) -> int:
    """The place, or an earlier one, that lies inside no known value."""
    if cut == len(text):
        return cut
    for needle in redactor.needles:
        at = text.find(needle, max(0, cut - len(needle) + 1), cut + len(needle) - 1)
        if 0 <= at < cut:
            return _outside_known(redactor, text, at)
    return cut


def _is_worth_hiding(value: Any) -> bool:
    return bool(value) and not isinstance(value, bool)
