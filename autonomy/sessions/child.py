"""A session's own process: it is set up, does one thing, reports, and ends (C-14)."""

import os
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from autonomy.sessions import looker, purposes, sandbox
from autonomy.sessions.envelope import Envelope, assignment
from autonomy.sessions.orders import Purpose
from autonomy.sessions.outcome import Stopped, outcome
from autonomy.sessions.sandbox import Bounds
from autonomy.sessions.supervised import Supervised
from autonomy.sessions.wire import Message, Silence


def main(envelope: Envelope, component: Any, bounds: Bounds, sock: int, output: int) -> NoReturn:
    """All of the life of a session, in the process that was forked for it."""
    status = 70
    try:
        _forget_the_zygote(output)
        supervisor = Supervised(socket.socket(fileno=sock))
        if envelope.purpose is Purpose.LOOK:
            looker.serve(envelope, bounds, supervisor)
        else:
            supervisor.report(_lived(envelope, component, bounds, supervisor))
        status = 0
    except Silence:  # the supervisor has hung up, which is how a looker ends
        status = 0
    except BaseException:  # noqa: BLE001 -- nothing may run on into the zygote's code
        sys.stderr.write(traceback.format_exc())
    finally:
        _leave(status)


def _lived(envelope: Envelope, component: Any, bounds: Bounds, supervisor: Supervised) -> Message:
    """Set up, do it, and say how it went."""

    def live() -> Any:
        sandbox.enter(envelope, bounds)
        order = assignment(envelope, supervisor.order())
        sandbox.close(envelope, bounds, kept=(supervisor.fileno(),))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return purposes.answered(order, component, supervisor)

    return outcome(live, largest=envelope.limits.result_bytes)


def _forget_the_zygote(output: int) -> None:
    """Output to the pipe, and the usual signals. The streams were made ready by the zygote."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _stop)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _stop(*_: object) -> NoReturn:
    raise Stopped


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the session closed its own output
            status = status or 0
    os._exit(status)
