"""Signals as something to wait for."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class AskedToEnd(BaseException):
    """Somebody asked the platform to end while it was still starting."""


class Wakeups:
    """Wakes the supervisor when it is asked to end and when a child has ended."""

    def __init__(self) -> None:
        self.asked = 0
        """How often it was asked to end: the first time calmly, from the second at once."""
        self.interrupting = True
        """Whether being asked raises AskedToEnd, wherever the main thread is."""
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    @contextmanager
    def installed(self) -> Iterator["Wakeups"]:
        """Listen for the length of the block; call this from the main thread."""
        wanted = {**dict.fromkeys(_ENDING, self._note), signal.SIGCHLD: _ignore}
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        descriptor = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self, seconds: float) -> None:
        """Until a signal comes, or the time is over."""
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 4096)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self.interrupting:
            self.interrupting = False
            raise AskedToEnd


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A child ended: enough that the wait is over."""
