"""Whether a message lies in a folder of a mailbox, asked over IMAP; the folder is only examined."""

import base64
import email
import imaplib
import re
import ssl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from autonomy.sdk import looking
from autonomy.sdk.evidence import Check, Verdict, undecided
from autonomy.verification.http import NO_NETWORK
from autonomy.verification.mail import (
    MOST_MESSAGES,
    Sent,
    expectation,
    is_message_id,
    judged,
    sent_of,
)
from autonomy.verification.patience import TooSlow, in_time

_HEADERS = "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID TO CC BCC SUBJECT)])"
_WILD = frozenset("*%")
_PLAIN = re.compile(r"[\x20-\x25\x27-\x7e]+|&|[^\x20-\x7e]+")


@dataclass(frozen=True)
class Mailbox:
    """Where mail is asked for, and as whom."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 993
    security: Literal["tls", "starttls", "none"] = "tls"


class _NoFolder(Exception):
    """The server says that there is no such folder."""


class _NoAnswer(Exception):
    """The server does not let us look, or cannot be understood."""


_FAILURES = (OSError, imaplib.IMAP4.error, TooSlow, _NoAnswer)


def message_in_folder(
    mailbox: Mailbox,
    folder: str,
    message_id: str,
    *,
    to: Collection[str] = (),
    exactly: int = 1,
    timeout: float = 15,
) -> Check:
    """The folder holds the message of this Message-ID so often, to exactly these recipients."""
    looked_at = f"folder {folder} of {mailbox.user} at {mailbox.host}"
    expected = expectation(message_id, to=to, exactly=exactly)
    if not looking.current().network:
        return undecided(looked_at, expected=expected, why=NO_NETWORK)
    if not is_message_id(message_id):
        return undecided(looked_at, expected=expected, why=f"{message_id!r} is no Message-ID")
    try:
        copies = in_time(lambda: _copies(mailbox, folder, message_id, timeout), timeout)
    except _NoFolder:
        told = undecided(looked_at, expected=expected, why="there is no such folder")
        return told.model_copy(update={"verdict": Verdict.REFUTED})
    except _FAILURES as error:
        return undecided(looked_at, expected=expected, why=str(error) or type(error).__name__)
    return judged(looked_at, message_id, copies, to=to, exactly=exactly)


def _copies(mailbox: Mailbox, folder: str, message_id: str, timeout: float) -> list[Sent]:
    """The messages with exactly this Message-ID: a search finds those that contain it."""
    with _signed_in(mailbox, timeout) as server:
        _examine(server, folder)
        found = _said(server.uid("SEARCH", "HEADER", "Message-ID", f'"{message_id}"'))
        numbers = found[0].split() if found and isinstance(found[0], bytes) else []
        if len(numbers) > MOST_MESSAGES:
            raise _NoAnswer(f"{len(numbers)} messages; at most {MOST_MESSAGES} are looked at")
        copies = [_fetched(server, number.decode("ascii")) for number in numbers]
    return [copy for copy in copies if copy.message_id == message_id]


@contextmanager
def _signed_in(mailbox: Mailbox, timeout: float) -> Iterator[imaplib.IMAP4]:
    server = _connected(mailbox, timeout)
    try:
        server.login(mailbox.user, mailbox.password)
        yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):  # what was asked for has been answered
            server.logout()


def _connected(mailbox: Mailbox, timeout: float) -> imaplib.IMAP4:
    trusted = ssl.create_default_context()
    if mailbox.security == "tls":
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=trusted, timeout=timeout)
    server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=timeout)
    if mailbox.security == "starttls":
        server.starttls(trusted)
    return server


def _examine(server: imaplib.IMAP4, folder: str) -> None:
    """Open the folder read-only; nothing is marked as seen."""
    name = _quoted(folder)
    answer, said = server.select(name, readonly=True)
    if answer == "OK":
        return
    if not set(folder) & _WILD and _said(server.list('""', name)) == [None]:
        raise _NoFolder
    raise _NoAnswer(b" ".join(filter(None, said)).decode("utf-8", "replace"))


def _fetched(server: imaplib.IMAP4, number: str) -> Sent:
    for part in _said(server.uid("FETCH", number, _HEADERS)):
        if isinstance(part, tuple):
            return sent_of(email.message_from_bytes(part[1]))
    raise _NoAnswer(f"message {number} went away while it was looked at")


def _said(answer: tuple[str, Sequence[object]]) -> list[object]:
    """What came with OK."""
    if answer[0] != "OK":
        raise _NoAnswer(f"the server answered {answer[0]}")
    return list(answer[1])


def _quoted(folder: str) -> str:
    """The name as IMAP takes it: letters beyond ASCII in its own UTF-7 (RFC 3501, 5.1.3)."""
    written = "".join(_written(part) for part in _PLAIN.findall(folder))
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _written(part: str) -> str:
    if part == "&":
        return "&-"
    if part.isascii() and part.isprintable():
        return part
    coded = base64.b64encode(part.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
    return f"&{coded}-"
