"""What a skill file does, once it is known with which values: a command or a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autonomy.sdk.context import Context
from autonomy.sdk.errors import Ambiguous, Permanent, Transient
from autonomy.sdk.plan import Plan
from autonomy.sdk.templates import Template, plain
from autonomy.skillfiles.codes import Codes, Meaning
from autonomy.skillfiles.commands import Command, program_of
from autonomy.skillfiles.once import Answer, at_most_once
from autonomy.skillfiles.places import Values, value_of
from autonomy.skillfiles.requests import Asking
from autonomy.skillfiles.results import Shaping

if TYPE_CHECKING:
    from autonomy.skillfiles.outbound import Connected

_TAIL = 500
_MOST_DIFF = 100_000
_STEP = "act"


@dataclass(frozen=True)
class Deed:
    """A command or a request, and what its answers mean."""

    does: Command | Asking
    codes: Codes
    once: bool
    """Whether it may happen only once, because doing it again would be doing it twice."""

    def answered(self, ctx: Context, values: Values) -> Answer:
        """Do it; raises Transient, Permanent or Ambiguous for an answer that means so."""
        act = self._begun(ctx, values)
        answer = (
            at_most_once(ctx, act, refused=lambda a: self._meaning(a) is Meaning.TRANSIENT)
            if self.once
            else act()
        )
        self._judge(answer)
        return answer

    def planned(self, ctx: Context, values: Values, summary: Template | None) -> Plan:
        """What it answers is what would change; its code says whether to go on."""
        answer = self._begun(ctx, values)()
        go = self._meaning(answer) is Meaning.OK
        told = f"{self._what()} answered {answer['code']}"
        if summary is not None:
            told = summary.filled(lambda name: plain(value_of(name, values)))
        return Plan(go=go, summary=told, diff=answer["text"][:_MOST_DIFF])

    def _begun(self, ctx: Context, values: Values) -> Callable[[], Answer]:
        """All that can be done before anything happens."""
        key = ctx.idempotency_key(_STEP)
        folder, artifacts = str(ctx.folder), str(ctx.artifacts)
        everything = {**values, "ctx": {"folder": folder, "artifacts": artifacts, "key": key}}
        if isinstance(self.does, Asking):
            from autonomy.skillfiles import outbound  # noqa: PLC0415 -- see CLIENT

            connected = outbound.Connected(self.does.request(everything, key))
            return lambda: _of_response(connected)
        command = self.does
        given = {"FOLDER": folder, "ARTIFACTS": artifacts, "KEY": key}
        command.line({**everything, "ctx": {**everything["ctx"], "here": ""}})
        return lambda: _of_command(command, ctx, everything, given)

    def _meaning(self, answer: Answer) -> Meaning:
        return self.codes.meaning(answer["code"])

    def _judge(self, answer: Answer) -> None:
        told = f"{self._what()} answered {answer['code']}: {answer['text'].strip()[-_TAIL:]}"
        match self._meaning(answer):
            case Meaning.TRANSIENT:
                raise Transient(told)
            case Meaning.PERMANENT:
                raise Permanent(told)
            case Meaning.UNCLEAR:
                raise Ambiguous(f"{told}; it may have happened")

    def _what(self) -> str:
        if isinstance(self.does, Asking):
            return f"{self.does.http.method} {self.does.host}"
        return program_of(self.does)


@dataclass(frozen=True)
class Running:
    """The function of a skill: it does the deed and shapes what comes of it."""

    deed: Deed
    shaping: Shaping

    def __call__(self, ctx: Context, **values: Any) -> Any:
        """Run it."""
        return self.shaping.result(self.deed.answered(ctx, values)["text"])


def _of_response(connected: "Connected") -> Answer:
    response = connected.send()
    return {"code": response.status, "text": response.text}


def _of_command(command: Command, ctx: Context, values: Values, given: dict[str, str]) -> Answer:
    ended = command.answer(ctx.folder, values, given)
    return {"code": ended.code, "text": ended.text}
