"""A world is the same after any trip, in whatever order it was observed (D-2)."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.world import (
    LONGEST_ESTIMATE,
    World,
    from_json,
    microseconds,
    to_json,
    world_hash,
)
from tests.unit.domain.worlds import NUMBERS, node, task, world, worlds


@given(worlds)
def test_a_world_comes_back_from_json_unchanged(before: World) -> None:
    assert from_json(json.loads(json.dumps(to_json(before)))) == before
    assert from_json(json.loads(rfc8785.dumps(to_json(before)))) == before


@given(worlds)
def test_the_hash_survives_the_trip(before: World) -> None:
    assert world_hash(from_json(json.loads(json.dumps(to_json(before))))) == world_hash(before)


@given(worlds)
def test_the_order_of_observation_is_no_part_of_a_world(before: World) -> None:
    again = World(
        now=before.now,
        tasks=before.tasks[::-1],
        nodes=before.nodes[::-1],
        records=before.records[::-1],
        stops=before.stops[::-1],
        level=before.level,
        owed=dict(sorted(before.owed.items(), reverse=True)),
        round_trip_seconds=before.round_trip_seconds,
    )

    assert again == before
    assert world_hash(again) == world_hash(before)


def test_another_world_has_another_hash() -> None:
    assert world_hash(world(task(dependents=1))) != world_hash(world(task(dependents=2)))


def test_what_is_usual_takes_no_room() -> None:
    stored = to_json(world(task(), node()))

    assert stored["tasks"] == [
        {
            "id": "t1",
            "skill": "files.read",
            "tier": 1,
            "origin": "person:ann",
            "ready_since": stored["now"] - 60_000_000,
        }
    ]
    assert stored.keys() == {"now", "tasks", "nodes"}


@given(NUMBERS, NUMBERS)
def test_a_ready_task_holds_only_numbers_that_json_holds(estimate: float, hint: float) -> None:
    ready = task(estimate_seconds=estimate, hint=hint)

    assert 0 <= ready.estimate_seconds <= LONGEST_ESTIMATE
    assert math.isfinite(ready.hint)


def test_an_estimate_that_is_not_a_number_is_taken_as_very_long() -> None:
    assert task(estimate_seconds=math.nan).estimate_seconds == LONGEST_ESTIMATE


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_counted_to_the_microsecond(at: datetime) -> None:
    counted = microseconds(at)

    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=counted) == at
    assert microseconds(at.astimezone(timezone(timedelta(hours=0)))) == counted
