"""What the engine must know of skills: where they may run, and whether they are paused."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from autonomy.domain.isolation import FOREIGN_CODE
from autonomy.domain.reasons import Reason
from autonomy.domain.world import Stop, Subject

# Declarations are read here and not in SQL: one that is malformed must not cost the whole pass.
_SKILLS = """
SELECT c.name, c.paused, c.declaration->'labels', c.declaration->'isolation',
       c.declaration->'foreign_code', c.declaration->'has_preflight'
FROM systemmap_component c
WHERE c.kind = 'skill' AND (c.paused OR c.name = ANY(%s))
ORDER BY c.name
"""


@dataclass(frozen=True)
class Declared:
    """What a skill asks of a node; `problem` says why its declaration cannot be used."""

    name: str
    paused: bool = False
    labels: tuple[str, ...] = ()
    isolation: int = 0
    has_preflight: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Skills:
    """The skills of what waits, and all that are paused."""

    known: dict[str, Declared] = field(default_factory=dict)

    def of(self, name: str) -> Declared:
        """The skill as declared; one that is not on the map asks for nothing."""
        return self.known.get(name) or Declared(name)

    def stops(self) -> tuple[Stop, ...]:
        """What is paused holds back its tasks."""
        return tuple(
            Stop(Reason.PAUSED, Subject.SKILL, skill.name, f"{skill.name} is paused")
            for skill in self.known.values()
            if skill.paused
        )


def skills(names: Iterable[str]) -> Skills:
    """The skills of these names and those that are paused; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SKILLS, [sorted(set(names))])
        return Skills({row[0]: _declared(*row) for row in cursor.fetchall()})


def _declared(name: str, paused: bool, *columns: str | None) -> Declared:  # noqa: FBT001
    labels, isolation, foreign, preflight = (json.loads(text or "null") for text in columns)
    if problem := _problem(labels, isolation):
        return Declared(name, paused, problem=f"the declaration of {name} is damaged: {problem}")
    least = FOREIGN_CODE if foreign is True else 0
    return Declared(
        name,
        paused,
        labels=tuple(sorted(labels or ())),
        isolation=max(isolation or 0, least),
        has_preflight=preflight is True,
    )


def _problem(labels: Any, isolation: Any) -> str:
    if labels is not None and not _is_words(labels):
        return f"labels are {labels!r}"
    if isolation is not None and (isinstance(isolation, bool) or not isinstance(isolation, int)):
        return f"isolation is {isolation!r}"
    return ""


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
