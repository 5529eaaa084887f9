"""Templates of a skill file, and the values that are put into their places."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autonomy.sdk.templates import BadTemplate, Template, plain, read
from autonomy.skillfiles.errors import WrongValue

At = tuple[str | int, ...]
Values = Mapping[str, Any]


def template(text: str, known: Iterable[str], at: At) -> Template:
    """A template whose places are all known, or fields of a known result; raises WrongValue."""
    known = frozenset(known)
    fields = {name for name in _names(text) if name.startswith("result.") and "result" in known}
    try:
        [found] = read([text], known | fields)
    except BadTemplate as error:
        raise WrongValue(str(error), at=at) from None
    return found


def _names(text: str) -> frozenset[str]:
    try:
        return Template.of(text).names
    except BadTemplate:  # told of by whoever reads it for good
        return frozenset()


def checked(value: Any, known: frozenset[str], at: At) -> None:
    """Raise WrongValue for a place in any text of a structure that is not known."""
    each(value, lambda text, inner: template(text, known, inner), at)


def each(value: Any, visit: Callable[[str, At], object], at: At) -> None:
    """Visit every text of a structure, with the keys that lead to it."""
    if isinstance(value, str):
        visit(value, at)
    elif isinstance(value, dict):
        for key, item in value.items():
            each(item, visit, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            each(item, visit, (*at, number))


def filled(value: Any, values: Values) -> Any:
    """The structure with values in its places: a place that stands alone keeps its type."""
    if isinstance(value, str):
        found = Template.of(value)
        if found.alone is not None:
            return value_of(found.alone, values)
        return found.filled(lambda name: plain(value_of(name, values)))
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    return value


def value_of(name: str, values: Values) -> Any:
    """A value by its name; `result.id` is a field of the result."""
    first, *steps = name.split(".")
    found = values[first]
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
