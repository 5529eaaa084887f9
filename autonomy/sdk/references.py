"""Arguments that are only known when an earlier task has ended.

In stored arguments a reference is `{"$ref": TASK_ID, "path": "commit"}`; it is replaced by that
field of the task's result when the last dependency ends, before pre-flight, approval and run.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class UnresolvedReference(ValueError):
    """A reference names a field that the task's result does not have."""


class Ref(BaseModel):
    """A field of the result of another task; an empty path is the whole result."""

    model_config = ConfigDict(frozen=True)

    task: UUID
    path: str = ""

    def as_json(self) -> dict[str, str]:
        """The form kept in a task's arguments."""
        return {"$ref": str(self.task), "path": self.path}


def is_reference(value: Any) -> bool:
    """Whether a stored value stands for a reference."""
    return isinstance(value, dict) and value.keys() == {"$ref", "path"}


def references(value: Any) -> Iterator[Ref]:
    """Every reference inside stored arguments; raises ValueError for what only looks like one."""
    if is_reference(value):
        yield Ref.model_validate({"task": value["$ref"], "path": value["path"]})
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolve(value: Any, result_of: Callable[[UUID], Any]) -> Any:
    """The stored arguments with every reference replaced; raises UnresolvedReference."""
    if is_reference(value):
        return _field(result_of(UUID(value["$ref"])), value)
    if isinstance(value, dict):
        return {key: resolve(item, result_of) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, result_of) for item in value]
    return value


def _field(result: Any, reference: dict[str, str]) -> Any:
    for step in filter(None, reference["path"].split(".")):
        if not isinstance(result, dict) or step not in result:
            raise UnresolvedReference(
                f"the result of task {reference['$ref']} has no field {reference['path']!r}"
            )
        result = result[step]
    return result
