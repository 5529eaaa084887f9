"""Text with places for values: `inbox/{name}`. A place names an argument and nothing else.

Nothing of a value is ever looked into (`{name.attribute}`, `{name!r}` and `{name:>9}` are refused),
and what a value becomes is decided by whoever fills the place: an encoded part of an address, one
word of a command, a part of a path.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import Formatter
from typing import Any


class BadTemplate(ValueError):
    """A template cannot be read; the message says what to change."""


@dataclass(frozen=True)
class Template:
    """Literal texts, each with the name of the place that follows it; the last has none."""

    text: str
    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, text: str) -> "Template":
        """Read a template; `{{` and `}}` stand for braces. Raises BadTemplate."""
        try:
            found = list(Formatter().parse(text))
        except ValueError as error:
            raise BadTemplate(f"{text!r}: {error}; write {{{{ for a brace") from None
        parts = []
        for literal, name, form, conversion in found:
            if name is not None and (form or conversion or not _is_name(name)):
                raise BadTemplate(
                    f"{text!r}: {{{name}}} is no name of an argument; write {{{{ for a brace"
                )
            parts.append((literal, name))
        return cls(text, tuple(parts))

    @property
    def names(self) -> frozenset[str]:
        """The places."""
        return frozenset(name for _, name in self.parts if name is not None)

    @property
    def alone(self) -> str | None:
        """The name of the one place that is all there is, as in `{path}`."""
        return self.first if len(self.parts) == 1 else None

    @property
    def first(self) -> str | None:
        """The name of the place that it begins with."""
        literal, name = self.parts[0] if self.parts else ("", None)
        return None if literal else name

    def filled(self, put: Callable[[str], str]) -> str:
        """The text with `put(name)` in each place."""
        return "".join(
            literal + (put(name) if name is not None else "") for literal, name in self.parts
        )


def read(texts: Iterable[str], known: Iterable[str]) -> tuple[Template, ...]:
    """Read templates whose places must be among the known ones; raises BadTemplate."""
    known = frozenset(known)
    templates = tuple(map(Template.of, texts))
    for template in templates:
        for name in sorted(template.names - known):
            there = ", ".join(sorted(known)) or "none"
            raise BadTemplate(
                f"{template.text!r}: there is no argument {name!r}; there are: {there}"
            )
    return templates


def plain(value: Any) -> str:
    """A value as text: numbers as JSON writes them, `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split(".")) if name else False
