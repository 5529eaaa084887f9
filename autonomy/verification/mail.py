"""What is asked of a message that was sent: which one, to whom, and how often it is there."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses

from autonomy.sdk.evidence import Check, Verdict

MOST_MESSAGES = 100
"""More copies than that are not read one by one."""

_MESSAGE_ID = re.compile(r"<[^\s<>\"\\()]{1,500}>", re.ASCII)
_RECIPIENTS = ("To", "Cc", "Bcc")


@dataclass(frozen=True)
class Sent:
    """One copy of a message: to whom it went, as far as the place says."""

    message_id: str
    recipients: frozenset[str]
    subject: str = ""


def is_message_id(text: str) -> bool:
    """Whether it is a Message-ID as a header holds it, in angle brackets."""
    return _MESSAGE_ID.fullmatch(text) is not None


def sent_of(headers: Message) -> Sent:
    """What the headers of a message say."""
    named = getaddresses(
        [str(value) for name in _RECIPIENTS for value in headers.get_all(name, [])]
    )
    return Sent(
        message_id=str(headers.get("Message-ID", "")).strip(),
        recipients=addresses(address for _, address in named),
        subject=" ".join(str(headers.get("Subject", "")).split()),
    )


def addresses(given: Iterable[str]) -> frozenset[str]:
    """Addresses as they are compared: how they are capitalised does not matter."""
    return frozenset(address.strip().lower() for address in given if address.strip())


def judged(
    looked_at: str, message_id: str, copies: Collection[Sent], *, to: Collection[str], exactly: int
) -> Check:
    """So many copies are there, and each went to exactly these recipients."""
    wanted = addresses(to)
    astray = [copy for copy in copies if wanted and copy.recipients != wanted]
    good = len(copies) == exactly and not astray
    return Check(
        looked_at=looked_at,
        expected=expectation(message_id, to=to, exactly=exactly),
        seen=_seen(copies),
        verdict=Verdict.VERIFIED if good else Verdict.REFUTED,
        found=_found(message_id, copies),
    )


def expectation(message_id: str, *, to: Collection[str], exactly: int) -> str:
    """What is expected, in words."""
    recipients = f" to {', '.join(sorted(addresses(to)))}" if to else ""
    return f"{message_id}{recipients}, {_times(exactly)}"


def _seen(copies: Collection[Sent]) -> str:
    recipients = {", ".join(sorted(copy.recipients)) or "nobody named" for copy in copies}
    return f"{_times(len(copies))}, to {'; '.join(sorted(recipients))}" if copies else "not there"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _found(message_id: str, copies: Collection[Sent]) -> Mapping[str, str]:
    return {"message_id": message_id, "copies": str(len(copies))} if copies else {}
