"""What a session's calls are answered with, where there is no database: from memory."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from autonomy.sessions.events import Call
from autonomy.sessions.pool import SessionPool


class Answers:
    """The effects of one task over all its attempts, and what it said and asked for."""

    def __init__(self) -> None:
        self.attempts = 1
        self.effects: dict[str, dict[str, Any]] = {}
        self.said: list[str] = []
        self.submitted: list[Mapping[str, Any]] = []
        self._doors: dict[str, Callable[..., Any]] = {
            "effect_begin": self._begin,
            "effect_done": self._done,
            "say": self._say,
            "submit": self._submit,
        }

    def answer(self, pool: SessionPool, call: Call) -> None:
        """Answer a call as a supervisor would."""
        door = self._doors.get(call.name)
        if door is None:
            pool.refuse(call, "permanent", f"{call.name} is not there in a test")
        else:
            pool.answer(call, door(**call.params))

    def lose(self, step: str) -> None:
        """Forget how an effect has ended; raises KeyError for one that was never begun."""
        self.effects[step].update(state="begun", result=None)

    def _begin(self, step: str) -> dict[str, Any]:
        known = self.effects.get(step)
        if known is None:
            self.effects[step] = {"state": "begun", "result": None}
            return {"state": "new", "result": None}
        return known

    def _done(self, step: str, result: Any) -> None:
        self.effects[step] = {"state": "done", "result": result}

    def _say(self, text: str) -> None:
        self.said.append(text)

    def _submit(self, submissions: list[dict[str, Any]]) -> dict[str, str]:
        self.submitted.extend(submissions)
        return {item["key"]: str(uuid4()) for item in submissions}
