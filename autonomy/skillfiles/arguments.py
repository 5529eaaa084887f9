"""From the declared arguments of a skill file to the schema that every other skill has."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, Strict
from pydantic_core import SchemaError

from autonomy.skillfiles.errors import WrongValue
from autonomy.skillfiles.shape import Argument

GIVEN = frozenset({"ctx", "result"})
"""What is filled in without being declared: `{ctx.folder}`, `{result.id}`."""

_NAME = re.compile(r"(?!model_)[A-Za-z][A-Za-z0-9_]{0,49}", re.ASCII)
_TYPES: dict[str, Any] = {
    "string": Annotated[str, Strict()],
    "integer": Annotated[int, Strict()],
    "number": Annotated[float, Strict()],
    "boolean": Annotated[bool, Strict()],
}
_FIELDS = {
    "minimum": "ge", "maximum": "le", "pattern": "pattern", "min_length": "min_length",
    "max_length": "max_length", "min_items": "min_length", "max_items": "max_length",
}  # fmt: skip
_FOR = {
    "string": {"pattern", "min_length", "max_length"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set[str](),
    "array": {"min_items", "max_items", "items"},
}


def model_of(name: str, arguments: Mapping[str, Argument]) -> type[BaseModel]:
    """A model of the arguments; raises WrongValue."""
    fields: dict[str, Any] = {}
    for key, argument in arguments.items():
        if not _NAME.fullmatch(key) or key in GIVEN:
            raise WrongValue(
                f"{key!r} cannot be the name of an argument; use letters, digits and _, and "
                f"none of {', '.join(sorted(GIVEN))}",
                at=("arguments", key),
            )
        fields[key] = _field(key, argument)
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    return pydantic.create_model(name.replace(".", "_"), __config__=config, **fields)


def _field(key: str, argument: Argument) -> tuple[Any, Any]:
    at = ("arguments", key)
    hint = _hint(argument, at)
    described = Field(description=argument.description or None)
    if "default" not in argument.model_fields_set:
        return Annotated[hint, described], ...
    try:
        pydantic.TypeAdapter(hint).validate_python(argument.default)
    except pydantic.ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        raise WrongValue(
            f"{argument.default!r} is no {argument.type} that it allows: {why}", at=(*at, "default")
        ) from None
    return Annotated[hint, described], argument.default


def _hint(argument: Argument, at: tuple[str | int, ...]) -> Any:
    asked = argument.model_fields_set - {"type", "description", "default", "enum"}
    for field in sorted(asked - _FOR[argument.type]):
        alias = Argument.model_fields[field].alias or field
        raise WrongValue(f"{alias} says nothing about a {argument.type}", at=(*at, alias))
    if argument.enum is not None:
        return _choice(argument, at)
    limits = {_FIELDS[name]: getattr(argument, name) for name in asked - {"items"}}
    if argument.type == "array":
        inner = _hint(argument.items or Argument(), (*at, "items"))
        return _bounded(list[inner], limits)  # type: ignore[valid-type]
    hint = _bounded(_TYPES[argument.type], limits)
    try:
        re.compile(argument.pattern or "")
        pydantic.TypeAdapter(hint)
    except (re.error, PydanticUserError, SchemaError) as error:
        why = str(error).partition("\n")[0]
        raise WrongValue(f"the pattern cannot be used: {why}", at=(*at, "pattern")) from None
    return hint


def _bounded(kind: Any, limits: Mapping[str, Any]) -> Any:
    return Annotated[kind, Field(**limits)]


def _choice(argument: Argument, at: tuple[str | int, ...]) -> Any:
    for number, value in enumerate(argument.enum or ()):
        try:
            pydantic.TypeAdapter(_TYPES[argument.type]).validate_python(value)
        except (pydantic.ValidationError, KeyError):
            raise WrongValue(
                f"{value!r} is no {argument.type}; quote a text, or declare its type",
                at=(*at, "enum", number),
            ) from None
    return Literal[tuple(argument.enum or ())]
