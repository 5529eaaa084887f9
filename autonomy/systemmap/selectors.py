"""Reading the map: components with their last verified success, nodes alive, shelfware."""

import difflib
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Now, TruncDate

from autonomy.domain.shelfware import Flag, Standing, flags, undeclared
from autonomy.systemmap.models import Component, Kind, Node
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.models import SkillDay

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ALIVE_FOR = timedelta(seconds=15)
NEW_FOR = timedelta(days=1)
"""So long after it was declared, or changed, a component is not asked why it has not run."""
LATELY = timedelta(days=1)


class UnknownSkill(Exception):
    """No loaded module declares this skill; the message names the nearest ones."""


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
    days = _days().filter(verified__gt=0).order_by("-day")
    return Case(When(kind=Kind.SKILL, then=Subquery(days.values("last_verified_at")[:1])))


def nodes_alive() -> QuerySet[Node]:
    """Nodes that have not left and were seen within 15 s by the database's clock."""
    return Node.objects.filter(incarnation__isnull=False, seen_at__gt=Now() - ALIVE_FOR)


def shelfware(running: Iterable[str] = ()) -> list[Flag]:
    """What is wrong on the map, and what is missing from it; `running` are skills with sessions.

    Read from the sums of days, in a constant number of statements.
    """
    declared = Component.objects.filter(retired_at=None)
    wrong = [flag for standing in _standings(declared) for flag in flags(standing)]
    return wrong + sorted(_undeclared(set(running)), key=lambda flag: (flag.kind, flag.name))


def _standings(declared: QuerySet[Component]) -> Iterable[Standing]:
    """The components that might be flagged, with what the ledger knows of them."""
    judged = declared.annotate(
        is_new=Q(declared_at__gt=Now() - NEW_FOR),
        has_run=Exists(_days().filter(ran__gt=0)),
        has_verified=Exists(_days().filter(verified__gt=0)),
        has_canaries=Exists(_days().filter(canaries__gt=0)),
    )
    idle = Q(kind=Kind.SKILL, has_verified=False)
    for row in judged.filter(Q(owner="") | ~Q(problem="") | idle).order_by("kind", "name"):
        yield Standing(
            kind=row.kind,
            name=row.name,
            owner=row.owner,
            problem=row.problem,
            paused=row.paused,
            is_new=row.is_new,
            has_verifier=bool(row.declaration.get("has_verifier", True)),
            has_run=row.has_run,
            has_verified=row.has_verified,
            has_canaries=row.has_canaries,
        )


def _undeclared(running: Set[str]) -> list[Flag]:
    """What live nodes have loaded, what has a session, and what ran lately without a row."""
    where = {(Kind.SKILL.value, name): "it ran within the last day" for name in _ran_unknown()}
    for node in nodes_alive().only("name", "versions", "detectors").order_by("name"):
        said = f"node {node.name} has loaded it"
        where |= {(Kind.SKILL.value, name): said for name in node.versions}
        where |= {(Kind.DETECTOR.value, name): said for name in node.detectors}
    where |= {(Kind.SKILL.value, name): "a session of it runs" for name in running}
    rows = Component.objects.filter(retired_at=None, name__in={name for _, name in where})
    declared = set(rows.values_list("kind", "name"))
    return [undeclared(*key, said) for key, said in where.items() if key not in declared]


def _ran_unknown() -> QuerySet[SkillDay, str]:
    """Skills that ran within a day and have no row; one that was retired meanwhile has one."""
    known = Component.objects.filter(kind=Kind.SKILL, name=OuterRef("skill"))
    lately = SkillDay.objects.filter(
        workspace_id=DEFAULT_WORKSPACE,
        day__gte=TruncDate(Now() - LATELY, tzinfo=UTC),
        last_ran_at__gt=Now() - LATELY,
    )
    return lately.filter(~Exists(known)).values_list("skill", flat=True).distinct()


def _days() -> QuerySet[SkillDay]:
    """The days of the skill of the outer row."""
    return SkillDay.objects.filter(workspace_id=OuterRef("workspace_id"), skill=OuterRef("name"))
