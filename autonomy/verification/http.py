"""What a web address answers to GET: its status and its body.

Nothing of the environment decides how it is asked: no proxy, no stored login, no redirect that was
not allowed for.
"""

import hashlib
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from autonomy.sdk import looking
from autonomy.sdk.evidence import Check, Verdict, undecided
from autonomy.verification.patience import TooSlow, in_time

MOST_BYTES = 1_000_000
MOST_REDIRECTS = 5
NO_NETWORK = "the skill declares no network, so that its verifier has none"

_SAYS_NOTHING = frozenset({401, 403, 407, 408, 421, 423, 425, 429})
"""Statuses of a server that does not let us look, or not now; with them every 5xx."""
_SERVER_ERRORS = range(500, 600)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SHOWN = 200
_NO_ANSWER = (OSError, http.client.HTTPException, TooSlow, UnicodeError)


class _NoAddress(ValueError):
    """It is no address that can be asked."""


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    whole: bool
    location: str


def http_answers(
    url: str,
    *,
    status: int = 200,
    contains: str = "",
    sha256: str = "",
    headers: Mapping[str, str] | None = None,
    timeout: float = 10,
    most_bytes: int = MOST_BYTES,
    redirects: int = 0,
) -> Check:
    """GET answers with this status, and a body that has these words or these bytes.

    Headers are sent to the first host only.
    """
    looked_at, expected = f"GET {_shown(url)}", _expected(status, contains, sha256)
    if not looking.current().network:
        return undecided(looked_at, expected=expected, why=NO_NETWORK)
    try:
        answer = in_time(
            lambda: _followed(url, dict(headers or {}), timeout, most_bytes, redirects), timeout
        )
    except _NO_ANSWER as error:
        return undecided(looked_at, expected=expected, why=str(error) or type(error).__name__)
    except _NoAddress as error:
        return undecided(looked_at, expected=expected, why=error)
    return Check(
        looked_at=looked_at,
        expected=expected,
        seen=_seen(answer),
        verdict=_verdict(answer, status, contains, sha256),
        found={"sha256": hashlib.sha256(answer.body).hexdigest()} if answer.whole else {},
    )


def _verdict(answer: _Answer, status: int, contains: str, sha256: str) -> Verdict:
    """A server that cannot or will not tell says neither yes nor no; nor does half a body."""
    if answer.status != status:
        silent = answer.status in _SAYS_NOTHING or answer.status in _SERVER_ERRORS
        return Verdict.INCONCLUSIVE if silent else Verdict.REFUTED
    has_words = contains.encode() in answer.body
    if not answer.whole and (sha256 or not has_words):
        return Verdict.INCONCLUSIVE
    same = not sha256 or hashlib.sha256(answer.body).hexdigest() == sha256.lower()
    return Verdict.VERIFIED if has_words and same else Verdict.REFUTED


def _followed(
    url: str, headers: dict[str, str], timeout: float, most_bytes: int, redirects: int
) -> _Answer:
    """The answer behind at most so many redirects; the last one is the answer itself."""
    host = urlsplit(url).netloc
    for _ in range(min(redirects, MOST_REDIRECTS)):
        answer = _got(url, headers, timeout, most_bytes)
        if answer.status not in _REDIRECTS or not answer.location:
            return answer
        url = urljoin(url, answer.location)
        if urlsplit(url).netloc != host:
            headers = {}
    return _got(url, headers, timeout, most_bytes)


def _got(url: str, headers: dict[str, str], timeout: float, most_bytes: int) -> _Answer:
    parts = urlsplit(url)
    connection = _connection(parts, timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "identity", **headers})
        response = connection.getresponse()
        body = response.read(most_bytes + 1)
        whole = len(body) <= most_bytes and not response.length  # nothing of it is outstanding
        location = response.getheader("Location", "")
        return _Answer(response.status, body[:most_bytes], whole, location)
    finally:
        connection.close()


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _NoAddress(str(error)) from None
    if not host or parts.scheme not in ("http", "https"):
        raise _NoAddress("it is no http or https address")
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    trusted = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=trusted)


def _expected(status: int, contains: str, sha256: str) -> str:
    wanted = [f"status {status}"]
    wanted += [f"{contains!r} in the body"] if contains else []
    wanted += [f"a body with sha256 {sha256}"] if sha256 else []
    return " and ".join(wanted)


def _seen(answer: _Answer) -> str:
    words = answer.body[:_SHOWN].decode("utf-8", "replace").strip()
    name = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    seen = f"status {answer.status} {name}".strip()
    if answer.location:
        seen += f", sends to {_shown(answer.location)}"
    size = f"{len(answer.body)} bytes" if answer.whole else f"more than {len(answer.body)} bytes"
    return f"{seen}, {size}: {words}" if words else f"{seen}, {size}"


def _shown(url: str) -> str:
    """The address without a login in it."""
    start, at, rest = url.rpartition("@")
    return f"{start.partition('//')[0]}//{rest}" if at and "//" in start else url
