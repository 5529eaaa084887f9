"""From the signature of a function to the schema of its arguments and of its result (C-12)."""

import inspect
import typing
import warnings
from collections.abc import Callable, Mapping
from inspect import Parameter
from types import FrameType
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError

from autonomy.sdk.errors import SkillDeclarationError

_STRANGE = {
    Parameter.VAR_POSITIONAL: "takes *{name}; give every argument a name and a type",
    Parameter.VAR_KEYWORD: "takes **{name}; give every argument a name and a type",
    Parameter.POSITIONAL_ONLY: "takes {name} by position only; remove the / from its signature",
}
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=True)


def arguments_of(run: Callable[..., Any], frame: FrameType | None = None) -> type[BaseModel]:
    """A model of the parameters after `ctx`; raises SkillDeclarationError.

    Types that are written as text are looked up in the module and in `frame`, where the function
    is declared.
    """
    _check_kind(run)
    hints = _hints(run, frame)
    parameters = list(inspect.signature(run).parameters.values())
    if not parameters or parameters[0].name != "ctx":
        raise SkillDeclarationError(f"the first parameter of {run.__qualname__} must be `ctx`")
    fields = {one.name: _field(run, one, hints) for one in parameters[1:]}
    model = _model(run, fields)
    _check_schema(run, model)
    _check_defaults(run, parameters[1:], model)
    return model


def result_of(run: Callable[..., Any], frame: FrameType | None = None) -> TypeAdapter[Any]:
    """The declared type of its result; anything where it declares none."""
    hint = _hints(run, frame).get("return", Any)
    try:
        return TypeAdapter(hint)
    except (PydanticUserError, PydanticSchemaGenerationError) as error:
        raise SkillDeclarationError(
            f"the result of {run.__qualname__} cannot be {_named(hint)}: {_told(error)}"
        ) from None


def _check_kind(run: Callable[..., Any]) -> None:
    for is_kind, what in (
        (inspect.iscoroutinefunction, "is async"),
        (inspect.isgeneratorfunction, "is a generator"),
        (inspect.isasyncgenfunction, "is a generator"),
    ):
        if is_kind(run):
            raise SkillDeclarationError(
                f"{run.__qualname__} {what}; a skill is a plain function that returns its result"
            )


def _hints(run: Callable[..., Any], frame: FrameType | None) -> dict[str, Any]:
    try:
        return typing.get_type_hints(
            run, localns=dict(frame.f_locals) if frame else None, include_extras=True
        )
    except NameError as error:
        raise SkillDeclarationError(
            f"a type of {run.__qualname__} is not known where it is declared: {error.name!r}; "
            "define or import it above the skill, outside of `if TYPE_CHECKING`"
        ) from None
    except TypeError as error:
        raise SkillDeclarationError(f"a type of {run.__qualname__} is none: {error}") from None


def _field(run: Callable[..., Any], one: Parameter, hints: Mapping[str, Any]) -> tuple[Any, Any]:
    if one.kind in _STRANGE:
        why = _STRANGE[one.kind].format(name=one.name)
        raise SkillDeclarationError(f"{run.__qualname__} {why}")
    if one.name not in hints:
        raise SkillDeclarationError(
            f"parameter {one.name!r} of {run.__qualname__} has no type; add one"
        )
    if one.name.startswith(("_", "model_")):
        raise SkillDeclarationError(
            f"parameter {one.name!r} of {run.__qualname__} cannot be called so; "
            "choose a name that does not begin with _ or model_"
        )
    return hints[one.name], ... if one.default is one.empty else one.default


def _model(run: Callable[..., Any], fields: Mapping[str, Any]) -> type[BaseModel]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # names such as `copy` are ours to use
            return pydantic.create_model(run.__name__, __config__=_CONFIG, **fields)
    except (PydanticUserError, PydanticSchemaGenerationError) as error:
        raise SkillDeclarationError(f"{_culprit(fields, run)}: {_told(error)}") from None


def _culprit(fields: Mapping[str, Any], run: Callable[..., Any]) -> str:
    """The parameter whose type alone is already too much."""
    for name, (hint, _) in fields.items():
        try:
            TypeAdapter(hint)
        except (PydanticUserError, PydanticSchemaGenerationError):
            return f"parameter {name!r} of {run.__qualname__} cannot be {_named(hint)}"
    return f"the parameters of {run.__qualname__} have no schema"


def _check_schema(run: Callable[..., Any], model: type[BaseModel]) -> None:
    """The arguments are stored as JSON, and whoever asks sees their schema."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a default that JSON cannot hold is only warned of
            model.model_json_schema()
    except (PydanticUserError, UserWarning) as error:
        raise SkillDeclarationError(
            f"the parameters of {run.__qualname__} cannot be written as JSON: {_told(error)}"
        ) from None


def _check_defaults(
    run: Callable[..., Any], parameters: list[Parameter], model: type[BaseModel]
) -> None:
    for one in parameters:
        if one.default is one.empty:
            continue
        try:
            model.__pydantic_validator__.validate_assignment(
                model.model_construct(), one.name, one.default
            )
        except pydantic.ValidationError as error:
            raise SkillDeclarationError(
                f"the default of {one.name!r} of {run.__qualname__} does not fit its type: "
                f"{error.errors(include_url=False)[0]['msg']}"
            ) from None


def _named(hint: Any) -> str:
    return getattr(hint, "__qualname__", None) or str(hint)


def _told(error: BaseException) -> str:
    if isinstance(error, PydanticSchemaGenerationError):
        return "use what JSON can hold, such as str, int, list[str] or a pydantic model"
    return str(error).partition("\n")[0]
