"""What every process of the platform logs: on one line each, and without secrets."""

import logging
import logging.config
import sys
import threading
import traceback
import unicodedata
from collections.abc import Callable
from types import TracebackType
from typing import Any

_exceptions = logging.Formatter()


class CleanRecord(logging.LogRecord):
    """A record that shows no secret to any handler, and whose message cannot forge another."""

    hide: Callable[[str], str] = staticmethod(lambda text: text)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = self.hide(_exceptions.formatException(self.exc_info))
        if self.stack_info:
            self.stack_info = self.hide(self.stack_info)

    def getMessage(self) -> str:  # noqa: N802 -- the name that logging calls
        """The message, with line breaks and control characters written out."""
        return "".join(map(_visible, self.hide(super().getMessage())))


def install(hide: Callable[[str], str]) -> None:
    """From here on nothing is logged, and no unhandled error told, but through `hide`."""
    CleanRecord.hide = staticmethod(hide)
    logging.setLogRecordFactory(CleanRecord)
    sys.excepthook = _told(hide)
    threading.excepthook = lambda given: _told(hide)(
        given.exc_type, given.exc_value or given.exc_type(), given.exc_traceback
    )


def configure(settings: dict[str, Any]) -> None:
    """What Django calls in its set-up."""
    from django.conf import settings as django  # noqa: PLC0415

    logging.config.dictConfig(settings)
    install(django.AUTONOMY_SECRETS.text)


def _told(
    hide: Callable[[str], str],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(hide("".join(traceback.format_exception(kind, error, trace))))

    return tell


def _visible(char: str) -> str:
    harmless = char == "\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")
    return char if harmless else char.encode("unicode_escape").decode()
