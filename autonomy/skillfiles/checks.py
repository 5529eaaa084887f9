"""`verify`: parts of the verifier library by name, with places for arguments (C-21)."""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import Parameter
from pathlib import Path
from typing import Any, Protocol

from autonomy import verification
from autonomy.sdk.context import VerifierContext
from autonomy.sdk.evidence import Check, Evidence, all_of
from autonomy.sdk.templates import Template, plain
from autonomy.skillfiles.commands import command_of
from autonomy.skillfiles.errors import UnknownKey, WrongValue
from autonomy.skillfiles.places import At, Values, checked, each, filled

Looked = Check | Evidence | tuple[Check, ...]

LIBRARY: dict[str, Callable[..., Looked]] = {
    "command_answers": verification.command_answers,
    "count_is": verification.count_is,
    "file_contains": verification.file_contains,
    "file_is": verification.file_is,
    "file_is_fresh": verification.file_is_fresh,
    "json_matches": verification.json_matches,
    "junit_is_of": verification.junit_is_of,
    "message_is_delivered": verification.message_is_delivered,
    "port_is_closed": verification.port_is_closed,
    "port_is_open": verification.port_is_open,
    "process_is_gone": verification.process_is_gone,
    "process_runs": verification.process_runs,
    "ref_contains": verification.ref_contains,
    "ref_is": verification.ref_is,
    "rows_are": verification.rows_are,
}
"""What a file may name. A check that needs more than data, such as a login, is for Python."""

_GIVEN: dict[str, Callable[[VerifierContext], Any]] = {
    "query": lambda ctx: ctx.query,
    "process": lambda ctx: ctx.process,
}
"""Parameters that no file can write."""
_NO_PLACES = {"sql"}
"""Text that is a program: values are given beside it."""


class Look(Protocol):
    """Something to look at."""

    def look(self, ctx: VerifierContext, values: Values) -> Check | Evidence:
        """What is seen."""


@dataclass(frozen=True)
class Looking:
    """One check of the library, with places for values."""

    name: str
    parameters: Mapping[str, Any]

    def look(self, ctx: VerifierContext, values: Values) -> Check | Evidence:
        """What is seen."""
        function = LIBRARY[self.name]
        kinds = typing.get_type_hints(function)
        given = {key: _as(kinds.get(key), key, one, values) for key, one in self.parameters.items()}
        wanted = inspect.signature(function).parameters
        given |= {name: _GIVEN[name](ctx) for name in _GIVEN.keys() & wanted.keys()}
        if _needs(wanted, "since") and "since" not in given:
            given["since"] = ctx.started_at
        several = [p.name for p in wanted.values() if p.kind is Parameter.VAR_POSITIONAL]
        words = [word for name in several for word in given.pop(name)]
        first = [given.pop(p.name) for p in wanted.values() if words and _comes_first(p)]
        looked = function(*first, *words, **given)
        return all_of(*looked) if isinstance(looked, tuple) else looked


def looking_of(check: Mapping[str, Any], places: frozenset[str], at: At) -> Looking:
    """The check of the library that a file declares; raises BadSkillFile."""
    [(name, parameters)] = check.items()
    if not isinstance(parameters, dict):
        raise WrongValue(f"write the parameters of {name} under it", at=(*at, name))
    wanted = inspect.signature(LIBRARY[name]).parameters
    _check_names(name, wanted, parameters, (*at, name))
    checked(parameters, places, (*at, name))
    _check_texts(LIBRARY[name], parameters, places, (*at, name))
    return Looking(name, parameters)


def _check_names(
    name: str, wanted: Mapping[str, Parameter], given: Mapping[str, Any], at: At
) -> None:
    open_to_files = [key for key in wanted if key not in _GIVEN]
    for key in given:
        if key not in open_to_files:
            raise UnknownKey(
                f"{name} takes no {key!r}; it takes {', '.join(open_to_files)}", at=(*at, key)
            )
    for key in open_to_files:
        if _needs(wanted, key) and key not in given and key != "since":
            raise WrongValue(f"{name} needs {key!r}", at=at)


def _check_texts(
    function: Callable[..., Any], given: Mapping[str, Any], places: frozenset[str], at: At
) -> None:
    kinds = typing.get_type_hints(function)
    for key, value in given.items():
        if key in _NO_PLACES:
            each(value, _refuse_places, (*at, key))
        if key == "argv":
            _argv(value, places, (*at, key))
        if kinds.get(key) is Path and not str(value).startswith(("/", "{")):
            raise WrongValue(
                "begin the path with {ctx.artifacts}/, {ctx.folder}/, / or an argument",
                at=(*at, key),
            )


def _argv(value: Any, places: frozenset[str], at: At) -> Callable[[Values], list[str]]:
    """The words of a command, each of which stays one word."""
    words = value if isinstance(value, list) else []
    if not words or not all(isinstance(word, str) and word for word in words):
        raise WrongValue("write the command as a list of words, in quotes", at=at)
    return command_of(value, None, None, known=places, files={}, at=at[:-1]).line


def _places(words: Sequence[str]) -> frozenset[str]:
    """Those that were found good when the file was read."""
    return frozenset(name for word in words for name in Template.of(word).names)


def _refuse_places(text: str, at: At) -> None:
    if "{" in text:
        raise WrongValue("nothing is put into this text; use `params`", at=at)


def _needs(wanted: Mapping[str, Parameter], key: str) -> bool:
    one = wanted.get(key)
    return one is not None and one.default is one.empty


def _comes_first(one: Parameter) -> bool:
    return one.kind is Parameter.POSITIONAL_OR_KEYWORD and one.default is one.empty


def _as(kind: Any, key: str, value: Any, values: Values) -> Any:
    """What the parameter takes."""
    if key == "argv":
        return command_of(value, None, None, known=_places(value), files={}, at=()).line(values)
    found = filled(value, values)
    if kind in (Path, Path | None):
        return Path(str(found))
    if kind in (datetime, datetime | None):
        return datetime.fromisoformat(str(found))
    return plain(found) if kind is str else found


def evidence_of(looks: Sequence[Look], ctx: VerifierContext, values: Values) -> Evidence:
    """Verified only when every check is."""
    return all_of(*(one.look(ctx, values) for one in looks))
