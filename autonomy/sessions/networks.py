"""Networks that hold nothing but a loopback: made by root, used by one session after another.

To make one and throw it away costs as much as all else that is done to cut a session off. When a
session has ended, nothing of it is left in its network. Foreign code gets one that is new, and so
do sessions with a loopback, whose connections are remembered for a minute.
"""

import os

from autonomy.sessions import kernel, namespaces

_MOST_SPARE = 64


class Networks:
    """Those that nobody uses now."""

    def __init__(self) -> None:
        self._own = _current()
        self._spare: list[int] = []

    def take(self) -> int:
        """A descriptor of a network for one session."""
        return self._spare.pop() if self._spare else self._made()

    def give_back(self, network: int) -> None:
        """Nobody is in it any more."""
        if len(self._spare) < _MOST_SPARE:
            self._spare.append(network)
        else:
            os.close(network)

    def _made(self) -> int:
        try:
            namespaces.cut_network()
            return _current()
        finally:
            kernel.enter(self._own, kernel.NEW_NETWORK)


def _current() -> int:
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
