"""Reading YAML that anybody may have written: plain values, each with its place.

YAML 1.2, and less of it: scalars are what they are in JSON, everything else is text (`no`, `012`
and `2026-01-02` are text). Tags, anchors, aliases and merge keys are refused.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from autonomy.skillfiles.errors import (
    AliasRefused,
    DuplicateKey,
    FileTooLarge,
    NotYaml,
    Place,
    TagRefused,
    TooDeep,
    WrongValue,
)

MOST_BYTES = 100_000
MOST_PARTS = 5_000
DEEPEST = 20

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass
class Document:
    """The values of a file, and where each key and each value stands."""

    value: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)


def read(content: bytes) -> Document:
    """The one document of a file; raises BadSkillFile."""
    if len(content) > MOST_BYTES:
        raise FileTooLarge(f"it has {len(content)} bytes; {MOST_BYTES} are allowed")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotYaml(f"byte {error.start} is no UTF-8; save it as UTF-8") from None
    try:
        return _Reader(iter(YAML(typ="safe", pure=True).parse(text))).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        raise NotYaml(f"{what}; check spaces and quotes there", _place(mark)) from None
    except YAMLError as error:
        raise NotYaml(f"{str(error).partition(chr(10))[0]}; remove it") from None


class _Reader:
    """Builds values from events, so that nothing of a file is ever looked up or constructed."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._parts = 0
        self._found = Document()

    def document(self) -> Document:
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise NotYaml("a second document begins; one file is one skill", _at(event))
                self._found.value = self._value(next(self._events), ())
        return self._found

    def _value(self, event: Event, path: Path) -> Any:
        self._check(event, path)
        self._found.values[path] = _at(event)
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        return self._sequence(path)

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            self._check(event, path)
            if not isinstance(event, ScalarEvent):
                raise NotYaml("a key must be a word; quote a value with braces", _at(event))
            key = str(event.value)
            if key == "<<":
                raise AliasRefused("merge keys are not read; write the keys out", _at(event))
            if key in found:
                first = self._found.keys[*path, key].line
                raise DuplicateKey(f"{key!r} stands in line {first} too; keep one", _at(event))
            self._found.keys[*path, key] = _at(event)
            found[key] = self._value(next(self._events), (*path, key))
        return found

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _check(self, event: Event, path: Path) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise FileTooLarge(f"more than {MOST_PARTS} keys and values", _at(event))
        if len(path) > DEEPEST:
            raise TooDeep(f"nested more than {DEEPEST} levels deep", _at(event))
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise AliasRefused("anchors and aliases are not read; write it out", _at(event))
        if tag := getattr(event, "tag", None):
            raise TagRefused(f"the tag {tag} is not read; write the plain value", _at(event))


def _scalar(event: ScalarEvent) -> Any:
    text = str(event.value)
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        raise WrongValue("NUL and half characters cannot be stored; remove them", _at(event))
    if event.style:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    number = json.loads(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _at(event: Event) -> Place:
    return _place(event.start_mark) or Place(1, 1)


def _place(mark: Any) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark else None
