"""The `Context` that a skill is given, over the socket to its supervisor."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from autonomy.sdk.context import Submission, Upstream
from autonomy.sdk.errors import Ambiguous, DidNotHappen, Permanent
from autonomy.sdk.plan import Settled
from autonomy.sdk.references import Ref
from autonomy.sessions.orders import Assignment
from autonomy.sessions.supervised import Supervised

_NOT_YET = Settled(happened=False)
_UPSTREAM = TypeAdapter(tuple[Upstream, ...])


def upstream_of(order: Assignment) -> dict[str, Upstream]:
    """The tasks that this one depends on, by key."""
    if not order.upstream:
        return {}
    return {item.key: item for item in _UPSTREAM.validate_python(order.upstream)}


class SessionContext:
    """See `autonomy.sdk.context.Context`."""

    def __init__(
        self, order: Assignment, supervisor: Supervised, reconcile: Callable[[str], Settled] | None
    ) -> None:
        self.task_id: UUID = order.task_id
        self.attempt: int = order.attempt
        self.nonce: str = order.nonce
        self.folder: Path = order.folder
        self.artifacts: Path = order.artifacts
        self.upstream: Mapping[str, Upstream] = upstream_of(order)
        self._base = order.idempotency_base or str(order.task_id)
        self._supervisor = supervisor
        self._reconcile = reconcile
        self._keys: dict[UUID, str] = {}

    def idempotency_key(self, step: str) -> str:
        """The same for every attempt of this task."""
        return f"{self._base}:{step}"

    def effect(self, step: str, act: Callable[[], Any], *, repeatable: bool = False) -> Any:
        """Do `act` at most once over all attempts of this task, and keep its JSON result."""
        begun = self._supervisor.call("effect_begin", step=step)
        if begun["state"] == "done":
            return begun["result"]
        settled = self._settled(step, repeatable) if begun["state"] == "begun" else _NOT_YET
        result = settled.result if settled.happened else self._acted(step, act)
        kept = self._plain(result)
        self._supervisor.call("effect_done", step=step, result=kept)
        return kept

    def submit(self, submissions: Sequence[Submission]) -> dict[str, UUID]:
        """Ask for tasks, all or none; returns their ids by key."""
        asked = [self._asked(submission) for submission in submissions]
        ids = self._supervisor.call("submit", submissions=asked)
        return {key: UUID(task_id) for key, task_id in ids.items()}

    def result_of(self, key: str, path: str = "") -> Ref:
        """Stands for a field of the result of the submission named `key`, until its id is known."""
        stand_in = uuid5(self.task_id, key)
        self._keys[stand_in] = key
        return Ref(task=stand_in, path=path)

    def say(self, text: str) -> None:
        """A line of progress for whoever watches."""
        self._supervisor.call("say", text=text)

    def _acted(self, step: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except DidNotHappen:
            self._supervisor.call("effect_undone", step=step)
            raise

    def _settled(self, step: str, repeatable: bool) -> Settled:  # noqa: FBT001 -- as it was asked
        """How an effect that an earlier attempt began has ended; raises Ambiguous."""
        if self._reconcile is None and repeatable:
            return _NOT_YET
        if self._reconcile is None:
            raise Ambiguous(
                f"an earlier attempt began {step!r} and the skill cannot tell whether it happened"
            )
        return self._reconcile(step)

    def _asked(self, submission: Submission) -> dict[str, Any]:
        return {
            "key": submission.key,
            "skill": submission.skill,
            "args": self._plain(submission.args),
            "depends_on": [str(item) for item in submission.depends_on],
            "always_run": submission.always_run,
            "allow_failure": submission.allow_failure,
        }

    def _plain(self, value: Any) -> Any:
        """The value as JSON; a reference to another submission names its key."""
        if isinstance(value, Ref):
            return {"$ref": self._keys.get(value.task, str(value.task)), "path": value.path}
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json")
        if isinstance(value, Mapping):
            return {str(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(item) for item in value]
        return to_jsonable_python(value)


class LookingContext(SessionContext):
    """The context of a pre-flight and of a reconciling look: it changes nothing."""

    def effect(self, step: str, act: Callable[[], Any], *, repeatable: bool = False) -> Any:
        """Refused."""
        raise Permanent(f"the effect {step!r} was asked for where nothing may be changed")

    def submit(self, submissions: Sequence[Submission]) -> dict[str, UUID]:
        """Refused."""
        raise Permanent("tasks were submitted where nothing may be changed")
