"""A session's own process: it is set up, does one thing, reports, and ends (C-14)."""

import errno
import os
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from autonomy.domain.states import ErrorClass
from autonomy.sdk.errors import Ambiguous, Permanent, Transient
from autonomy.sdk.skill import BadArguments
from autonomy.sessions import purposes, sandbox
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.orders import End, Order
from autonomy.sessions.sandbox import Bounds
from autonomy.sessions.supervised import Fenced, Supervised
from autonomy.sessions.text import bounded, printable
from autonomy.sessions.wire import Message, encoded

_LONGEST_ERROR = 8_000
_FRAMES = 20
_CROSSED = {errno.EFBIG: "disk", errno.EDQUOT: "disk", errno.EMFILE: "open_files"}


class Stopped(BaseException):
    """The session was told to end."""


def main(envelope: Envelope, component: Any, bounds: Bounds, sock: int, output: int) -> NoReturn:
    """All of the life of a session, in the process that was forked for it."""
    status = 70
    try:
        _forget_the_zygote(output)
        supervisor = Supervised(socket.socket(fileno=sock))
        supervisor.report(_lived(envelope, component, bounds, supervisor))
        status = 0
    except BaseException:  # noqa: BLE001 -- nothing may run on into the zygote's code
        sys.stderr.write(traceback.format_exc())
    finally:
        _leave(status)


def _lived(envelope: Envelope, component: Any, bounds: Bounds, supervisor: Supervised) -> Message:
    """Set up, do it, and say how it went."""
    try:
        sandbox.enter(bounds)
        order = Order.model_validate(supervisor.order())
        database = purposes.begun(order)
        sandbox.close(envelope, bounds, kept=(supervisor.fileno(), *database.descriptors))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        answer = purposes.answered(order, component, supervisor, database.query)
        return _within(envelope.limits.result_bytes, {"ended": End.OK, "result": answer})
    except BaseException as error:  # noqa: BLE001 -- whatever a skill raises is how it ended
        return _failure(error)


def _within(largest: int, report: Message) -> Message:
    try:
        size = len(encoded(report))
    except ValueError as error:
        raise Permanent(f"the result cannot be stored: {error}") from None
    if size <= largest:
        return report
    return _crossed("result", f"the result has {size} bytes; {largest} are allowed")


def _failure(error: BaseException) -> Message:
    """How a session that raised has ended."""
    match error:
        case Fenced():
            return {"ended": End.LOST, "error_class": ErrorClass.LOST, "error": _told(error)}
        case Stopped():
            return {"ended": End.CANCELLED, "error": "told to end"}
        case sandbox.Refused():
            return _failed(ErrorClass.PERMANENT, _told(error)) | {"ended": End.REFUSED}
        case MemoryError():
            return _crossed("memory", "no more memory was given")
        case Ambiguous():
            return {"ended": End.FAILED, "ambiguous": True, "error": _told(error)}
        case Permanent() | BadArguments():
            return _failed(ErrorClass.PERMANENT, _told(error))
        case Transient():
            return _failed(ErrorClass.TRANSIENT, _told(error))
        case OSError() if error.errno in _CROSSED:
            return _crossed(_CROSSED[error.errno], _told(error))
        case _:
            return _failed(ErrorClass.TRANSIENT, _traced(error))


def _failed(error_class: ErrorClass, text: str) -> Message:
    return {"ended": End.FAILED, "error_class": error_class, "error": text}


def _crossed(limit: str, text: str) -> Message:
    return _failed(ErrorClass.RESOURCE, text) | {"ended": End.RESOURCE, "limit": limit}


def _told(error: BaseException) -> str:
    return printable(bounded(str(error) or type(error).__name__, _LONGEST_ERROR))


def _traced(error: BaseException) -> str:
    """The traceback from the author's first frame on."""
    shown = traceback.TracebackException.from_exception(error, limit=-_FRAMES, compact=True)
    return printable(bounded("".join(shown.format()), _LONGEST_ERROR))


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
