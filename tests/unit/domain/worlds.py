"""Worlds to decide on: one to start from, and as many as Hypothesis can think of."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from autonomy.domain.priority import MILLION
from autonomy.domain.reasons import Reason
from autonomy.domain.world import NodeFacts, Purpose, ReadyTask, Record, Stop, Subject, World
from firewall.domain.levels import Level

NOW = 1_790_000_000 * MILLION
MINUTE = 60 * MILLION
SKILLS = ("files.move", "files.read", "mail.send")
LOADED = dict.fromkeys(SKILLS, "v1")


def task(name: str = "t1", **changes: Any) -> ReadyTask:
    """A tier-1 task that became ready a minute ago."""
    fields = {
        "id": name,
        "skill": "files.read",
        "tier": 1,
        "origin": "person:ann",
        "ready_since": NOW - MINUTE,
    }
    return ReadyTask(**{**fields, **changes})


def node(name: str = "n1", **changes: Any) -> NodeFacts:
    """A living node of two free slots that has loaded every skill."""
    fields = {"name": name, "slots": 2, "skills": LOADED}
    return NodeFacts(**{**fields, **changes})


def world(*rows: ReadyTask | NodeFacts | Record | Stop, **changes: Any) -> World:
    """A world of these tasks, nodes, records and stops."""
    kinds = {"tasks": ReadyTask, "nodes": NodeFacts, "records": Record, "stops": Stop}
    sorted_out = {
        name: tuple(row for row in rows if isinstance(row, kind)) for name, kind in kinds.items()
    }
    return World(**{"now": NOW, **sorted_out, **changes})


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
NAMES = st.sampled_from(("a", "b", "c"))
LABELS = st.sampled_from(((), ("gpu",), ("gpu", "eu")))


def _with(kind: type[Any], name: str, keys: st.SearchStrategy[str], **parts: Any) -> Any:
    """Rows of one kind with names of their own."""

    def built(rows: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
        return tuple(kind(**{name: key, **row}) for key, row in rows.items())

    return st.dictionaries(keys, st.fixed_dictionaries(parts), max_size=8).map(built)


tasks = _with(
    ReadyTask,
    "id",
    st.uuids(version=4).map(str),
    skill=st.sampled_from(SKILLS),
    tier=st.integers(1, 3),
    origin=NAMES,
    ready_since=st.integers(NOW - 10**6 * MINUTE, NOW + MINUTE),
    estimate_seconds=NUMBERS,
    dependents=st.integers(0, 50),
    critical=st.booleans(),
    hint=NUMBERS,
    purpose=st.sampled_from(Purpose),
    labels=LABELS,
    isolation=st.integers(0, 1),
    version=st.sampled_from(("", "v1", "v2")),
    siblings=st.sampled_from(("", "p1", "p2")),
    approved=st.booleans(),
    changes_nothing=st.booleans(),
    unplanned=st.booleans(),
    failed_on=st.sampled_from(((), ("n1",), ("n1", "n2"))),
)
nodes = _with(
    NodeFacts,
    "name",
    st.sampled_from(("n1", "n2", "n3", "n4")),
    tiers=st.sampled_from(((1,), (1, 2), (1, 2, 3))),
    labels=LABELS,
    slots=st.integers(0, 3),
    in_use=st.integers(0, 3),
    unclaimed=st.integers(0, 2),
    alive=st.sampled_from((True, True, False)),
    paused=st.sampled_from((False, False, True)),
    draining=st.sampled_from((False, False, True)),
    unwell=st.sampled_from(("", "", "does not claim")),
    trial=st.sampled_from((False, False, True)),
    isolation=st.integers(0, 1),
    skills=st.sampled_from((LOADED, {"files.read": "v1"}, {"files.read": "v2"})),
    mean_seconds=st.floats(0, 10) | NUMBERS,
    siblings=st.dictionaries(st.sampled_from(("p1", "p2")), st.integers(1, 3)),
)
records = st.lists(
    st.builds(
        Record,
        skill=st.sampled_from(SKILLS),
        node=st.sampled_from(("", "n1", "n2")),
        value_sum=st.floats(0, 100) | NUMBERS,
        success_sum=st.floats(0, 50) | NUMBERS,
        weight=st.floats(50, 100) | NUMBERS,
        at=st.integers(NOW - 100 * MINUTE, NOW + MINUTE),
    ),
    max_size=4,
    unique_by=lambda record: (record.skill, record.node),
).map(tuple)
stops = st.lists(
    st.builds(
        Stop,
        reason=st.sampled_from((Reason.PAUSED, Reason.BUDGET, Reason.QUARANTINE)),
        subject=st.sampled_from((Subject.SKILL, Subject.ORIGIN, Subject.TIER)),
        name=st.sampled_from((*SKILLS, "a", "3")),
    ),
    max_size=2,
    unique=True,
).map(tuple)


@st.composite
def crowded(draw: st.DrawFn) -> World:
    """Three origins with more work than there is room for, some of them owed turns."""
    rows = [
        task(
            f"{origin}{i}",
            origin=origin,
            tier=draw(st.sampled_from((1, 3))),
            hint=draw(st.sampled_from((0, 10, 20, 30, 40))),
        )
        for origin in ("a", "b", "c")
        for i in range(draw(st.integers(1, 4)))
    ]
    nodes = [
        node(f"n{i}", slots=draw(st.integers(1, 3)), tiers=tiers)
        for i, tiers in enumerate(draw(st.lists(st.sampled_from(((1,), (3,), (1, 3))), max_size=3)))
    ]
    return world(*rows, *nodes, owed={o: draw(st.integers(0, 3)) for o in ("a", "b", "c")})


worlds = st.builds(
    World,
    now=st.just(NOW),
    tasks=tasks,
    nodes=nodes,
    records=records,
    stops=stops,
    level=st.sampled_from((Level.FULL, *Level)),
    owed=st.dictionaries(NAMES, st.integers(0, 4)),
    round_trip_seconds=st.floats(0, 1) | NUMBERS,
)
