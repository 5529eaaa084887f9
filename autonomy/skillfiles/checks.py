"""`verify`: parts of the verifier library by name, with places for arguments (C-21)."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autonomy import verification
from autonomy.sdk.context import VerifierContext
from autonomy.sdk.evidence import Check, Evidence
from autonomy.skillfiles.answers import AskingAgain, asking_again_of
from autonomy.skillfiles.errors import UnknownKey, WrongValue
from autonomy.skillfiles.places import At, Values, checked, each, filled
from autonomy.skillfiles.shape import HttpCheck, parsed

Looked = Check | Evidence | tuple[Check, ...]

_GIVEN: dict[str, Callable[[VerifierContext], Any]] = {
    "since": lambda ctx: ctx.started_at,
    "query": lambda ctx: ctx.query,
}
"""Parameters that the session fills in, where a file leaves them out."""
_HTTP = "http"
_NO_PLACES = {"sql"}
"""Text that is a program: values are given beside it."""


@dataclass(frozen=True)
class Looking:
    """One check, with places for values."""

    name: str
    parameters: Mapping[str, Any]

    def look(self, ctx: VerifierContext, values: Values) -> Looked:
        """What is seen."""
        function = known()[self.name]
        wanted = _types(function)
        given = {
            name: _as(filled(value, values), wanted[name])
            for name, value in self.parameters.items()
        }
        for name in _GIVEN.keys() & wanted.keys() - given.keys():
            given[name] = _GIVEN[name](ctx)
        looked: Looked = function(**given)
        return looked


def known() -> dict[str, Callable[..., Any]]:
    """The checks by name: what the library exports and answers with a check."""
    exported = {name: getattr(verification, name) for name in verification.__all__}
    return {
        name: function
        for name, function in exported.items()
        if inspect.isfunction(function) and _answers_with_a_check(function)
    }


def looking_of(
    check: Mapping[str, Any], places: frozenset[str], hosts: frozenset[str], at: At
) -> Looking | AskingAgain:
    """The check that a file declares; raises BadSkillFile."""
    if len(check) != 1:
        raise WrongValue("each check is one name with its parameters under it", at=at)
    [(name, parameters)] = check.items()
    if name == _HTTP:
        given = parsed(HttpCheck, parameters, (*at, name))
        return asking_again_of(given, places, hosts, (*at, name))
    functions = known()
    if name not in functions:
        there = ", ".join(sorted([*functions, _HTTP]))
        raise UnknownKey(f"there is no check {name!r}; there are: {there}", at=(*at, name))
    if not isinstance(parameters, dict):
        raise WrongValue(f"write the parameters of {name} under it", at=(*at, name))
    _check_names(functions[name], name, parameters, (*at, name))
    checked(parameters, places, (*at, name))
    _check_texts(functions[name], parameters, (*at, name))
    return Looking(name, parameters)


def evidence_of(
    lookings: tuple[Looking | AskingAgain, ...], ctx: VerifierContext, values: Values
) -> Evidence:
    """Verified only when every check is."""
    checks: list[Check] = []
    for looking in lookings:
        looked = looking.look(ctx, values)
        checks += looked if isinstance(looked, tuple) else _checks(looked)
    return Evidence.of(*checks)


def _checks(looked: Check | Evidence) -> tuple[Check, ...]:
    return looked.checks if isinstance(looked, Evidence) else (looked,)


def _check_names(function: Callable[..., Any], name: str, given: Mapping[str, Any], at: At) -> None:
    wanted = inspect.signature(function).parameters
    open_to_files = [key for key in wanted if key not in ("query", "process")]
    for key in given:
        if key not in open_to_files:
            raise UnknownKey(
                f"{name} takes no {key!r}; it takes {', '.join(open_to_files)}", at=(*at, key)
            )
    for key, parameter in wanted.items():
        if parameter.default is parameter.empty and key not in given and key not in _GIVEN:
            raise WrongValue(f"{name} needs {key!r}", at=at)


def _check_texts(function: Callable[..., Any], given: Mapping[str, Any], at: At) -> None:
    wanted = _types(function)
    for key, value in given.items():
        if key in _NO_PLACES:
            each(value, _refuse_places, (*at, key))
        if wanted[key] is Path and not str(value).startswith(("/", "{")):
            raise WrongValue(
                "begin the path with {artifacts}/, {folder}/, / or an argument", at=(*at, key)
            )


def _refuse_places(text: str, at: At) -> None:
    if "{" in text:
        raise WrongValue("nothing is put into this text; use `params`", at=at)


def _answers_with_a_check(function: Callable[..., Any]) -> bool:
    answer = _types(function).get("return")
    return answer in (Check, Evidence, tuple[Check, ...], Check | Evidence)


def _types(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function)


def _as(value: Any, kind: Any) -> Any:
    if kind is Path or kind == Path | None:
        return None if value is None else Path(str(value))
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    return value
