"""What the log of a mail server says became of a message: for whom it was taken on, and delivered.

The form is Postfix's, which names a message by the server's own id: one line ties that id to the
Message-ID, and one line for each recipient says how its delivery ended.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autonomy.sdk.evidence import Check, Verdict, undecided
from autonomy.verification.files import open_file
from autonomy.verification.mail import addresses, expectation, is_message_id

MOST_BYTES = 64_000_000
"""The end of the log that is read."""

_LINE = re.compile(
    r"postfix(?:-[\w-]+)?/[\w/-]+\[\d+\]: (?P<queue>[0-9A-Za-z]{5,30}): (?P<what>.*)"
)
_ID = re.compile(r"message-id=(<[^>\s]+>)")
_DELIVERY = re.compile(r"to=<([^>]*)>,.*?\bstatus=(\w+)(?: \((.*)\))?")
_FAILED = frozenset({"bounced", "expired"})


@dataclass
class _Delivery:
    """What the log says of one message in the queue."""

    message_id: str = ""
    ends: list[tuple[str, str, str]] = field(default_factory=list)  # recipient, status, words


def message_is_delivered(
    log: Path, message_id: str, *, to: Collection[str], exactly: int = 1
) -> Check:
    """By its log, the server delivered the message to exactly these recipients, so often each."""
    looked_at, expected = f"mail log {log.name}", expectation(message_id, to=to, exactly=exactly)
    if not is_message_id(message_id):
        return undecided(looked_at, expected=expected, why=f"{message_id!r} is no Message-ID")
    try:
        lines, whole = _last_lines(log)
    except OSError as error:  # rotated away, perhaps: that is no answer
        return undecided(looked_at, expected=expected, why=error.strerror or error)
    kept = [message for message in _messages(lines) if message.message_id == message_id]
    ends = [end for message in kept for end in message.ends]
    seen = "; ".join(f"{to} {status} ({words})" for to, status, words in ends)
    return Check(
        looked_at=looked_at,
        expected=expected,
        seen=seen or ("taken on, and not delivered yet" if kept else "not in it"),
        verdict=_verdict(ends, addresses(to), exactly, open_=bool(kept) or not whole),
        found={"message_id": message_id} if kept else {},
    )


def _verdict(
    ends: list[tuple[str, str, str]], wanted: frozenset[str], exactly: int, *, open_: bool
) -> Verdict:
    """A stranger, a copy too many or a bounce is a clear no; what may yet be delivered is not."""
    sent: dict[str, int] = defaultdict(int)
    for recipient, status, _ in ends:
        if status == "sent":
            sent[recipient] += 1
    if set(sent) - wanted or any(times > exactly for times in sent.values()):
        return Verdict.REFUTED
    if all(sent[recipient] == exactly for recipient in wanted):
        return Verdict.VERIFIED
    statuses = {status for recipient, status, _ in ends if sent[recipient] < exactly}
    return Verdict.REFUTED if statuses & _FAILED or not open_ else Verdict.INCONCLUSIVE


def _last_lines(log: Path) -> tuple[list[str], bool]:
    """The end of the log, and whether that is all of it; raises OSError."""
    with open_file(log) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - MOST_BYTES))
        return file.read(MOST_BYTES).decode("utf-8", "replace").splitlines(), size <= MOST_BYTES


def _messages(lines: Iterable[str]) -> Iterator[_Delivery]:
    queued: dict[str, _Delivery] = defaultdict(_Delivery)
    for line in lines:
        found = _LINE.search(line)
        if found is None:
            continue
        delivery = queued[found["queue"]]
        if named := _ID.search(found["what"]):
            delivery.message_id = named[1]
        if told := _DELIVERY.search(found["what"]):
            delivery.ends.append((told[1].lower(), told[2], (told[3] or "")[:200]))
    yield from queued.values()
