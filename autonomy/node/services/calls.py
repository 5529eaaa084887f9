"""What a session asks of its supervisor: written behind the fence, answered after the commit."""

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from autonomy.domain.redaction import Redactor
from autonomy.node.services.aside import UNSTORABLE
from autonomy.node.services.held import Held
from autonomy.sdk.references import is_reference
from autonomy.sessions.events import Call
from autonomy.systemmap.selectors import UnknownSkill
from autonomy.tasks.models import Task
from autonomy.tasks.services import (
    Child,
    SubmitRefused,
    begin_effect,
    complete_effect,
    fenced,
    submit_children,
    undo_effect,
)
from ledger.domain.ids import new_id
from ledger.services import Fact, record

logger = logging.getLogger(__name__)

MAX_STEP = 100
MAX_SAYING = 500


class CallRefused(Exception):
    """The call asks for something that cannot be done; the message says what."""


def answer(held: Held, call: Call, hide: Redactor) -> Any:
    """Do what a session asked for; no secret is written. Raises StaleWrite, and one of REFUSALS."""
    name = call.name
    act = _CALLS.get(name)
    if act is None:
        raise CallRefused(f"there is no call {name!r}")
    with fenced(*held.lease) as task:
        try:
            return act(task, _clean(call, hide))
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise CallRefused(f"the call {name!r} is not understood: {error!r}") from None


def _clean(call: Call, hide: Redactor) -> Mapping[str, Any]:
    """Words for people are cleaned as such; arguments of other tasks are data, and stay exact."""
    match call.name:
        case "say":
            return {"text": hide.text(str(call.params.get("text", "")))}
        case "submit":
            return call.params
        case _:
            known: Mapping[str, Any] = hide.known(call.params)
            return known


REFUSALS = (CallRefused, SubmitRefused, UnknownSkill, *UNSTORABLE)


def _effect_begin(task: Task, payload: Mapping[str, Any]) -> dict[str, Any]:
    state, result = begin_effect(task, _step(payload))
    return {"state": state, "result": result}


def _effect_done(task: Task, payload: Mapping[str, Any]) -> None:
    complete_effect(task, _step(payload), payload.get("result"))


def _effect_undone(task: Task, payload: Mapping[str, Any]) -> None:
    undo_effect(task, _step(payload))


def _submit(task: Task, payload: Mapping[str, Any]) -> dict[str, str]:
    ids = {str(asked["key"]): new_id() for asked in payload["submissions"]}
    children = [_child(asked, ids) for asked in payload["submissions"]]
    return {key: str(task_id) for key, task_id in submit_children(task, children).items()}


def _say(task: Task, payload: Mapping[str, Any]) -> None:
    record(
        Fact(
            type="session_said",
            quiet=True,
            stream="task",
            stream_id=str(task.id),
            actor=f"session:{task.session_id}",
            body=str(payload.get("text", ""))[:MAX_SAYING],
        )
    )


_CALLS: dict[str, Callable[[Task, Mapping[str, Any]], Any]] = {
    "effect_begin": _effect_begin,
    "effect_done": _effect_done,
    "effect_undone": _effect_undone,
    "submit": _submit,
    "say": _say,
}


def _step(payload: Mapping[str, Any]) -> str:
    step = payload.get("step")
    if not isinstance(step, str) or not 0 < len(step) <= MAX_STEP:
        raise CallRefused(f"a step is named by 1 to {MAX_STEP} characters")
    return step


def _child(asked: Mapping[str, Any], ids: Mapping[str, UUID]) -> Child:
    """Keys of siblings become their ids, in dependencies and in references."""
    return Child(
        id=ids[asked["key"]],
        key=asked["key"],
        skill=asked["skill"],
        args=_with_ids(asked["args"], ids),
        depends_on=[_id(item, ids) for item in asked["depends_on"]],
        always_run=bool(asked["always_run"]),
        allow_failure=bool(asked["allow_failure"]),
    )


def _with_ids(value: Any, ids: Mapping[str, UUID]) -> Any:
    if is_reference(value):
        return {**value, "$ref": str(_id(value["$ref"], ids))}
    if isinstance(value, dict):
        return {key: _with_ids(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ids(item, ids) for item in value]
    return value


def _id(name: str, ids: Mapping[str, UUID]) -> UUID:
    try:
        return ids[name] if name in ids else UUID(name)
    except ValueError:
        raise CallRefused(f"{name!r} is neither a key of these submissions nor a task") from None
