"""What secrets look like: by the name they stand under, by their own form, in other writings."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

HIDDEN = "[redacted]"

SHORTEST = 6
"""A known value of fewer characters cannot be told from ordinary text."""

LONGEST = 128
"""A known value is looked for in pieces of at most this many characters."""

_SHORTEST_ENCODED = 12  # fewer characters look like ordinary base64 too often
_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|secret[_-]?key|token|api[_-]?key|access[_-]?key(?:[_-]id)?"
    r"|private[_-]?key|credentials?|authorization|cookie)"
)
_SEPARATOR = r"[\"']?[ \t]{0,8}[:=][ \t]{0,8}(?:(?:bearer|basic)[ \t]+)?"
_PEM = r"BEGIN [A-Z ]{0,30}PRIVATE KEY-----"

# Each begins at the beginning of a word, so that no text makes the search go over it twice.
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}"
    r"|whsec_[A-Za-z0-9+/=]{16,}|pypi-[A-Za-z0-9_-]{30,}|aut_[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.?[A-Za-z0-9_-]*"
    r")"
)
_BEARER = re.compile(r"\b((?:bearer|basic)[ \t]+)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_LOGIN = re.compile(r"(://[^\s/?#@:]{0,200}:)[^\s/@]+@")
_KEY = re.compile(rf"{_PEM}.*?(?:-----END|\Z)", re.DOTALL)
_NAMED = re.compile(
    rf"({_NAME}{_SEPARATOR})(?!{re.escape(HIDDEN)}|(?:bearer|basic)[ \t])"
    r"(\"[^\"\n]{4,}\"?|'[^'\n]{4,}'?|[^\s,;&\"'}\])]{4,})",
    re.IGNORECASE,
)
_INNOCENT = frozenset({"none", "null", "true", "false", "bytes", "secretstr", HIDDEN})
_HINTS_OF_TOKENS = (
    *("sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "gh", "glpat-", "xox", "AKIA", "ASIA", "AIza"),
    *("whsec_", "pypi-", "aut_", "eyJ"),
)
_HINTS_OF_NAMES = (
    *("passw", "passphrase", "pwd", "secret", "token", "key", "credential", "authorization"),
    "cookie",
)

OPEN = re.compile(
    rf"(?:{_NAME}[\"']?[ \t]{{0,8}}(?:[:=][ \t]{{0,8}}(?:(?:bearer|basic)[ \t]+)?"
    rf"(?:\"[^\"\n]*\"?\S*|'[^'\n]*'?\S*|\S*))?"
    r"|\b(?:bearer|basic)[ \t]+\S*)\Z",
    re.IGNORECASE,
)
"""The end of a text that may be the beginning of a secret, beside its last word."""

OPEN_KEY = re.compile(rf"BEGIN [A-Z ]{{0,40}}-{{0,5}}\Z|{_PEM}(?!.*-----END)", re.DOTALL)
"""The end of a text that may be the beginning of a private key."""

OPEN_CUT = re.compile(r"\[…(?: [^\]]{0,60}(?:\]\n?\S*)?)?\Z")
"""The end of a text where something was left out, up to the first word after it."""

CUT = re.compile(r"\[… \d+ characters (?:left out|not shown) …\]")
"""Where something was left out: what stands on either side of it may be half a secret."""

_NAMES = re.compile(rf"{_NAME}\Z".replace("[_-]?", ""), re.IGNORECASE)


def is_named_secret(key: str) -> bool:
    """Whether what stands under this key is meant to be secret."""
    return bool(_NAMES.search(re.sub(r"[-_. ]", "", key)))


def hidden(text: str) -> str:
    """The text without what has the form of a secret, or stands under the name of one."""
    if any(hint in text for hint in _HINTS_OF_TOKENS):
        text = _TOKENS.sub(HIDDEN, text)
    if "://" in text:
        text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    if "PRIVATE KEY-----" in text:
        text = _KEY.sub(HIDDEN, text)
    small = text.lower()
    if "bearer" in small or "basic" in small:
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
    if any(hint in small for hint in _HINTS_OF_NAMES):
        text = _NAMED.sub(_named, text)
    return text


def writings(value: str) -> Iterator[str]:
    """A known value in the forms in which programs print it, in pieces of a bounded length."""
    for line in value.splitlines() or [value]:
        text = line.strip()
        for start in range(0, len(text), LONGEST):
            piece = text[start : start + LONGEST]
            if len(piece) >= SHORTEST:
                yield from _forms(piece)


def _forms(piece: str) -> Iterator[str]:
    yield piece
    yield quote(piece, safe="")
    yield json.dumps(piece)[1:-1]
    yield repr(piece)[1:-1]
    if len(piece) >= _SHORTEST_ENCODED:
        data = piece.encode(errors="surrogateescape")
        yield data.hex()
        for before in range(3):
            yield from _inside_base64(data, before)


def _inside_base64(data: bytes, before: int) -> Iterator[str]:
    """What base64 makes of it wherever it stands, less what its neighbours can alter."""
    whole = b"\0" * before + data
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(whole).decode()[-(-before * 8 // 6) : len(whole) * 8 // 6]


def _named(found: re.Match[str]) -> str:
    """The name stays, so that the text can be understood."""
    value = found[2]
    inside = value.strip("\"'")
    if inside.lower() in _INNOCENT:
        return found[0]
    mark = value[0] if value[0] in "\"'" else ""
    return f"{found[1]}{mark}{HIDDEN}{mark}"
