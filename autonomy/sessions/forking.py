"""From an order to a process: refused, or forked into its own namespaces."""

import os
from dataclasses import replace
from typing import Any

from autonomy.domain.states import ErrorClass
from autonomy.sessions import child, clock, namespaces
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.loading import NotLoaded
from autonomy.sessions.orders import End
from autonomy.sessions.refusal import TooWeak
from autonomy.sessions.sandbox import Bounds
from autonomy.sessions.watch import Running
from autonomy.sessions.wire import Message

_FIRST_LOOK_SECONDS = 0.1


def begun(
    envelope: Envelope, component: Any, bounds: Bounds, sock: int, network: int | None
) -> Running:
    """The process of a new session; raises OSError."""
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
