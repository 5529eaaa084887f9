"""The supervisor's end of the socket to one session: its calls, and its last word."""

import signal
import socket

from pydantic import ValidationError

from autonomy.domain.states import ErrorClass
from autonomy.sessions.events import Call
from autonomy.sessions.orders import End, Order, Report
from autonomy.sessions.text import bounded, printable
from autonomy.sessions.wire import BadMessage, Channel, Message

_LARGEST_CALL = 1_000_000
_LONGEST_ERROR = 10_000
_CALLS = frozenset(
    {"effect_begin", "effect_done", "effect_undone", "submit", "say", "query", "process"}
)
_SAID = frozenset({"ended", "limit", "error_class", "error", "ambiguous", "result"})


class Talk:
    """What is said between a session and its supervisor. The session may be hostile."""

    def __init__(self, order: Order, sock: socket.socket) -> None:
        self.order = order
        self.session_id = order.session_id
        self.channel = Channel(sock, largest=_LARGEST_CALL + order.limits.result_bytes)
        self.broken = ""
        self.pid = 0
        self.waiting = False
        self._report: Message | None = None

    def heard(self) -> list[Call]:
        """The calls that have come; after nonsense, `broken` says what is wrong with it."""
        calls: list[Call] = []
        try:
            for message in self.channel.receive():
                self._take(message, calls)
        except (BadMessage, KeyError, TypeError, ValueError) as error:
            self.broken = f"the session broke the protocol: {printable(str(error))[:200]}"
            self.channel.closed = True
        return calls

    def concluded(self, told: Message) -> Report:
        """How it ended: the zygote's reason counts for more than the session's word."""
        self._drain()
        said = self._report or {}
        if told.get("ended") is None:
            told = {**told, **(said or self._mute(told))}
        return report_of(told)

    def _drain(self) -> None:
        """Its last word may still lie in the socket; the calls before it have nobody to wait."""
        for _ in range(64):
            if self._report or self.channel.closed:
                return
            self.heard()

    def _take(self, message: Message, calls: list[Call]) -> None:
        if "report" in message:
            said = dict(message["report"])
            self._report = self._report or {name: said[name] for name in said.keys() & _SAID}
            return
        if self.waiting:
            raise BadMessage("it asked for more before it had its answer")
        name, params = message["call"], message["params"]
        if name not in _CALLS or not isinstance(params, dict):
            raise BadMessage(f"unknown call {str(name)[:50]}")
        self.waiting = True
        calls.append(Call(self.session_id, int(message["id"]), name, params))

    def _mute(self, told: Message) -> Message:
        """A session that ended without a word."""
        number, status = told.get("signal"), told.get("exit_status")
        how = f"was killed by {_signal(number)}" if number else f"exited with status {status}"
        error = self.broken or f"the session {how} and gave no result"
        return {"ended": End.FAILED, "error_class": ErrorClass.TRANSIENT, "error": error}


def _signal(number: int) -> str:
    """Those between the named ones belong to nobody."""
    named = number in set(signal.Signals)
    return f"signal {number} ({signal.Signals(number).name})" if named else f"signal {number}"


def report_of(told: Message) -> Report:
    """The report in a message, whoever wrote it."""
    try:
        report = Report.model_validate(told)
    except ValidationError as error:
        return report_of(
            {
                "ended": End.FAILED,
                "error_class": ErrorClass.TRANSIENT,
                "error": f"the session's last word cannot be read: {str(error)[:500]}",
            }
        )
    return report.model_copy(update={"error": bounded(printable(report.error), _LONGEST_ERROR)})
