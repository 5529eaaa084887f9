"""Reading the map: components with their last verified success, nodes alive, shelfware."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Now

from autonomy.systemmap.models import Component, Kind, Node
from ledger.models import Outcome

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ALIVE_FOR = timedelta(seconds=15)


class UnknownSkill(Exception):
    """No loaded module declares this skill; the message names the nearest ones."""


@dataclass(frozen=True)
class Flag:
    """What is wrong with a component on the map (C-26)."""

    kind: str
    name: str
    problem: str  # never_run, never_verified, no_owner, broken
    words: str


def declared_skill(name: str) -> Component:
    """The skill of this name; raises UnknownSkill."""
    return declared_skills([name])[name]


def declared_skills(names: Iterable[str]) -> Mapping[str, Component]:
    """The skills of these names, in one statement; raises UnknownSkill for a missing one."""
    wanted = set(names)
    found = {component.name: component for component in usable(Kind.SKILL).filter(name__in=wanted)}
    for name in sorted(wanted - found.keys()):
        raise UnknownSkill(f"no skill {name!r} is declared{did_you_mean(Kind.SKILL, name)}")
    return found


def did_you_mean(kind: str, name: str) -> str:
    """`; did you mean a, b?` from the names on the map, or nothing."""
    names = usable(kind).values_list("name", flat=True)
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


def usable(kind: str) -> QuerySet[Component]:
    """Components of a kind that some module declares and that could be loaded."""
    return Component.objects.filter(kind=kind, retired_at=None, problem="")


class Success(TypedDict):
    """What the ledger adds to a component."""

    last_verified_at: datetime | None


def components() -> "QuerySet[WithAnnotations[Component, Success]]":
    """What is declared now, each with `last_verified_at` from the ledger."""
    return Component.objects.filter(retired_at=None).annotate(last_verified_at=last_verified())


def last_verified() -> Case:
    """When the skill of the row last succeeded with evidence; canaries do not count."""
    verified = _outcomes().filter(verdict="verified").order_by("-at")
    return Case(When(kind=Kind.SKILL, then=Subquery(verified.values("at")[:1])))


def nodes_alive() -> QuerySet[Node]:
    """Nodes that have not left and were seen within 15 s by the database's clock."""
    return Node.objects.filter(incarnation__isnull=False, seen_at__gt=Now() - ALIVE_FOR)


def shelfware() -> list[Flag]:
    """Declared and never run, run and never verified, without owner, broken; one statement."""
    rows = Component.objects.filter(retired_at=None).annotate(
        has_run=Exists(_outcomes()), has_verified=Exists(_outcomes().filter(verdict="verified"))
    )
    flagged = rows.filter(Q(owner="") | ~Q(problem="") | Q(kind=Kind.SKILL, has_verified=False))
    return [
        flag
        for row in flagged
        for flag in _flags(row, has_run=row.has_run, has_verified=row.has_verified)
    ]


def _flags(component: Component, *, has_run: bool, has_verified: bool) -> Iterable[Flag]:
    def flag(problem: str, words: str) -> Flag:
        return Flag(component.kind, component.name, problem, words)

    if component.problem:
        yield flag("broken", component.problem.strip().rpartition("\n")[2])
        return
    if not component.owner:
        yield flag("no_owner", "nobody is named as its owner")
    if component.kind == Kind.SKILL and not has_run:
        yield flag("never_run", "it is declared and was never run")
    elif component.kind == Kind.SKILL and not has_verified:
        yield flag("never_verified", "it has run and was never verified")


def _outcomes() -> QuerySet[Outcome]:
    """Outcomes of the skill of the outer row."""
    return Outcome.objects.filter(
        workspace_id=OuterRef("workspace_id"), skill=OuterRef("name"), canary=False
    )
