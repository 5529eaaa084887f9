"""From an order to a process: refused, or forked into its own namespaces."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from autonomy.domain.states import ErrorClass
from autonomy.sessions import child, clock, namespaces
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.loading import NotLoaded
from autonomy.sessions.orders import End
from autonomy.sessions.refusal import TooWeak, check
from autonomy.sessions.sandbox import Bounds, group_of
from autonomy.sessions.watch import Running
from autonomy.sessions.wire import Message

_FIRST_LOOK_SECONDS = 0.1


def begun(
    envelope: Envelope, component: Any, bounds: Bounds, sock: int, network: int | None
) -> Running:
    """The process of a new session; raises Refused, OSError."""
    check(envelope, bounds.isolation)
    if envelope.uid is not None:
        group_of(envelope.uid)
    if envelope.temp:
        _make_temp(envelope)
    bounds = replace(bounds, network=network)
    pipe, output = os.pipe2(os.O_CLOEXEC)
    now = clock.seconds()
    try:
        pid = namespaces.fork() if bounds.isolation.namespaces else os.fork()
        if pid == 0:
            os.setsid()
            child.main(envelope, component, bounds, sock, output)
    except OSError:
        os.close(pipe)
        raise
    finally:
        os.close(output)
    os.set_blocking(pipe, False)
    return Running(
        envelope,
        pid,
        pipe,
        started=now,
        network=network,
        own_view=bounds.isolation.namespaces,
        renewed=envelope.leased_at,
        wall_seconds=envelope.limits.wall_seconds,
        deadline=now + envelope.limits.wall_seconds,
        look_at=now + _FIRST_LOOK_SECONDS,
    )


def refused(error: Exception) -> Message:
    """How an order ended that was not begun: for good, or for this node and now."""
    elsewhere = isinstance(error, NotLoaded | OSError)
    return {
        "ended": End.REFUSED,
        "limit": "isolation" if isinstance(error, TooWeak) else "",
        "error_class": ErrorClass.TRANSIENT if elsewhere else ErrorClass.PERMANENT,
        "error": str(error),
    }


def _make_temp(envelope: Envelope) -> None:
    temp = Path(envelope.temp)
    temp.mkdir(mode=0o700, exist_ok=True)
    if envelope.uid is not None:
        os.chown(temp, envelope.uid, -1)
