"""What a session says last: its answer, or what the author's exception means (C-7)."""

import errno
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from autonomy.domain.states import ErrorClass
from autonomy.sdk.errors import Ambiguous, Permanent, Transient
from autonomy.sdk.skill import BadArguments
from autonomy.sessions.loading import NotLoaded
from autonomy.sessions.orders import End
from autonomy.sessions.refusal import Refused
from autonomy.sessions.supervised import Fenced
from autonomy.sessions.text import bounded, printable
from autonomy.sessions.wire import Message, encoded

_LONGEST_ERROR = 8_000
_FRAMES = 20
_LOOK_SECONDS = 0.6
_MOST_CAUSES = 20
_NO_MEMORY = "no more memory was given"
_CROSSED = {errno.EFBIG: "disk", errno.EDQUOT: "disk", errno.EMFILE: "open_files"}


class Stopped(BaseException):
    """The session was told to end."""


def outcome(act: Callable[[], Any], *, largest: int) -> Message:
    """Do it, and say how it went; an answer of more than `largest` bytes crosses a limit."""
    try:
        return _within(largest, {"ended": End.OK, "result": act()})
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
        case Refused():
            return _failed(ErrorClass.PERMANENT, _told(error)) | {"ended": End.REFUSED}
        case NotLoaded():
            return _failed(ErrorClass.TRANSIENT, _told(error)) | {"ended": End.REFUSED}
        case MemoryError():
            return _crossed("memory", _NO_MEMORY)
        case Ambiguous():
            return {"ended": End.FAILED, "ambiguous": True, "error": _told(error)}
        case Permanent() | BadArguments():
            return _failed(ErrorClass.PERMANENT, _told(error))
        case Transient():
            return _failed(ErrorClass.TRANSIENT, _told(error))
        case BlockingIOError():
            time.sleep(_LOOK_SECONDS)  # if there are too many processes, the zygote ends it now
            return _failed(ErrorClass.TRANSIENT, _traced(error))
        case OSError() if error.errno in _CROSSED:
            return _crossed(_CROSSED[error.errno], _told(error))
        case _:
            return _limit_behind(error) or _failed(ErrorClass.TRANSIENT, _traced(error))


def _limit_behind(error: BaseException) -> Message | None:
    """The limit that a library met, and told of in words of its own."""
    for cause in islice(_causes(error), _MOST_CAUSES):
        if isinstance(cause, MemoryError):
            return _crossed("memory", _NO_MEMORY)
        if isinstance(cause, OSError) and cause.errno in _CROSSED:
            return _crossed(_CROSSED[cause.errno], f"{_told(cause)}, told as: {_told(error)}")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    while cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        yield cause
        error = cause


def _failed(error_class: ErrorClass, text: str) -> Message:
    return {"ended": End.FAILED, "error_class": error_class, "error": text}


def _crossed(limit: str, text: str) -> Message:
    return _failed(ErrorClass.RESOURCE, text) | {"ended": End.RESOURCE, "limit": limit}


def _told(error: BaseException) -> str:
    return printable(bounded(str(error) or type(error).__name__, _LONGEST_ERROR))


def _traced(error: BaseException) -> str:
    """The last frames, down to the author's."""
    shown = traceback.TracebackException.from_exception(error, limit=-_FRAMES, compact=True)
    return printable(bounded("".join(shown.format()), _LONGEST_ERROR))
