"""What a session asks of its supervisor: answered after COMMIT, or not at all (C-9)."""

import itertools
import os
import socket
import threading
from typing import Any

from autonomy.sdk.errors import Ambiguous, Permanent, Transient
from autonomy.sessions.wire import BadMessage, Message, Silence, ask, heard

_LARGEST_ANSWER = 16_000_000


class Fenced(BaseException):
    """The lease of this session is gone: it must stop, and nothing it says counts any more."""


class Supervised:
    """The session's end of the socket to its supervisor."""

    def __init__(self, sock: socket.socket, *, timeout: float = 60) -> None:
        sock.settimeout(timeout)
        self._timeout = timeout
        self._sock = sock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def order(self) -> Message:
        """What the session is to do."""
        return heard(self._sock, 4 * _LARGEST_ANSWER)

    def report(self, answer: Message) -> None:
        """The last word of a session."""
        self.tell({"report": answer})

    def tell(self, message: Message) -> None:
        """Say something that needs no answer."""
        ask(self._sock, message)

    def asked(self) -> Message:
        """What a looker is to look at next, however long that takes; raises Silence at the end."""
        self._sock.settimeout(None)
        message = heard(self._sock, 4 * _LARGEST_ANSWER)
        self._sock.settimeout(self._timeout)
        return message

    def call(self, name: str, **params: Any) -> Any:
        """The supervisor's answer; raises Fenced, or what the supervisor says."""
        if os.getpid() != self._pid:
            raise Permanent("the context belongs to the session's own process, not to its children")
        with self._lock:
            number = next(self._numbers)
            answer = self._answer({"call": name, "id": number, "params": params}, number)
        if "error" in answer:
            raise _raised(answer)
        return answer.get("result")

    def _answer(self, message: Message, number: int) -> Message:
        try:
            ask(self._sock, message)
            answer = heard(self._sock, _LARGEST_ANSWER)
        except (Silence, BadMessage) as error:
            raise Transient(f"the supervisor did not answer: {error}") from None
        if answer.get("id") != number:
            raise Transient("the supervisor answered something else")
        return answer


def _raised(answer: Message) -> BaseException:
    kinds: dict[str, type[BaseException]] = {
        "stale": Fenced,
        "permanent": Permanent,
        "ambiguous": Ambiguous,
    }
    return kinds.get(str(answer.get("kind")), Transient)(str(answer["error"]))
