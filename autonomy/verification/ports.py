"""Whether something listens on a port, and whether a process runs."""

import socket
from collections.abc import Callable
from datetime import datetime

from autonomy.sdk import looking
from autonomy.sdk.context import ProcessSeen
from autonomy.sdk.errors import Permanent, Transient
from autonomy.sdk.evidence import Check, Verdict, undecided
from autonomy.verification.files import CLOCK_SKEW
from autonomy.verification.http import NO_NETWORK
from autonomy.verification.patience import TooSlow, in_time

_ZOMBIE = "zombie"


def port_is_open(
    port: int, *, host: str = "127.0.0.1", greeting: str = "", timeout: float = 5
) -> Check:
    """Something on the host takes connections at this port, and greets with these words."""
    looked_at = f"port {port} of {host}"
    expected = f"open, greeting with {greeting!r}" if greeting else "open"
    try:
        seen = in_time(lambda: _greeted(host, port, timeout, wanted=len(greeting) > 0), timeout)
    except ConnectionRefusedError:
        return _told(looked_at, expected, "closed: the host answers that nobody listens", no=True)
    except (OSError, TooSlow, _Cut) as error:
        return undecided(looked_at, expected=expected, why=error)
    if greeting not in seen:
        return _told(looked_at, expected, f"open, greeting with {seen[:200]!r}", no=True)
    return _told(looked_at, expected, f"open, greeting with {seen[:200]!r}" if seen else "open")


def port_is_closed(port: int, *, host: str = "127.0.0.1", timeout: float = 5) -> Check:
    """The host answers that nobody listens at this port."""
    looked_at, expected = f"port {port} of {host}", "closed"
    try:
        in_time(lambda: _greeted(host, port, timeout, wanted=False), timeout)
    except ConnectionRefusedError:
        return _told(looked_at, expected, "closed: the host answers that nobody listens")
    except (OSError, TooSlow, _Cut) as error:
        return undecided(looked_at, expected=expected, why=error)
    return _told(looked_at, expected, "open", no=True)


class _Cut(Exception):
    """There is no network to look through."""


def _greeted(host: str, port: int, timeout: float, *, wanted: bool) -> str:
    """Connect, and hear the first words where they are wanted; raises OSError."""
    if not looking.current().network:
        raise _Cut(NO_NETWORK)
    with socket.create_connection((host, port), timeout) as connection:
        return connection.recv(1000).decode("utf-8", "replace").strip() if wanted else ""


def process_runs(
    process: Callable[[int], ProcessSeen | None],
    pid: int,
    *,
    name: str = "",
    since: datetime | None = None,
) -> Check:
    """The process of this number runs, has this name, and was not begun before `since`.

    Numbers are used again: say a name or a moment, or another process may be taken for it.
    """
    looked_at, expected = f"process {pid}", f"{name or 'a process'} at work"
    try:
        seen = process(pid)
    except (Transient, Permanent) as error:
        return undecided(looked_at, expected=expected, why=error)
    if seen is None or seen.status == _ZOMBIE:
        return _told(looked_at, expected, "it has ended" if seen else "not there", no=True)
    other = bool(name) and seen.name != name
    early = since is not None and seen.started_at < since - CLOCK_SKEW
    told = f"{seen.name}, {seen.status}, since {seen.started_at.isoformat()}"
    return _told(looked_at, expected, told, no=other or early)


def process_is_gone(process: Callable[[int], ProcessSeen | None], pid: int) -> Check:
    """No process of this number runs."""
    told = process_runs(process, pid)
    opposite = {Verdict.VERIFIED: Verdict.REFUTED, Verdict.REFUTED: Verdict.VERIFIED}
    verdict = opposite.get(told.verdict, told.verdict)
    return told.model_copy(update={"expected": "no such process", "verdict": verdict})


def _told(looked_at: str, expected: str, seen: str, *, no: bool = False) -> Check:
    verdict = Verdict.REFUTED if no else Verdict.VERIFIED
    return Check(looked_at=looked_at, expected=expected, seen=seen, verdict=verdict)
