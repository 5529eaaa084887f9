"""A stored pass comes out as it was stored, or the replay says what is different (D-22)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from autonomy.domain.decide import deliberate
from autonomy.domain.priority import DEFAULT_WEIGHTS, Weights
from autonomy.domain.record import digest
from autonomy.domain.replay import Ended, Record, Replayed, WhatIf, replayed
from autonomy.domain.world import Record as Score
from autonomy.domain.world import World, to_json, world_hash
from tests.unit.domain.worlds import NOW, node, task, world, worlds

CORE = "c1"


def stored(seen: World, weights: Weights = DEFAULT_WEIGHTS) -> Record:
    """What is kept of a pass over this world, after a trip through JSON."""
    made = deliberate(seen, weights)
    parts: dict[str, Any] = {
        "world": to_json(made.essence),
        "decisions": [decision.to_json() for decision in made.decisions],
        "owed": made.owed,
        "context": {"waiting": len(seen.tasks)},
    }
    hashed = digest(weights=weights.to_json(), **parts)
    return Record(
        **json.loads(json.dumps(parts)), world_hash=world_hash(made.essence), core=CORE,
        digest=hashed, weights=weights, told=frozenset({hashed}),
    )  # fmt: skip


@given(worlds)
def test_every_pass_comes_out_as_it_was_stored(seen: World) -> None:
    assert replayed(stored(seen), CORE) == Replayed()


def some() -> Record:
    return stored(world(*(task(f"t{i}", origin=f"o{i % 3}") for i in range(9)), node(slots=4)))


def changed_bytes(record: Record) -> list[tuple[str, Any]]:
    """Every way to change one byte of what is kept as JSON, that leaves JSON behind."""
    found = []
    for name in ("world", "decisions", "owed", "context"):
        text = json.dumps(getattr(record, name))
        for i, letter in enumerate(text):
            for other in "0a":
                try:
                    value = json.loads(text[:i] + other + text[i + 1 :])
                except ValueError:
                    continue
                if letter != other and value != getattr(record, name):
                    found.append((name, value))
    return found


def test_one_changed_byte_is_reported_wherever_it_is() -> None:
    record = some()
    changes = changed_bytes(record)
    assert len(changes) > 500

    silent = [(n, v) for n, v in changes if not replayed(replace(record, **{n: v}), CORE).problems]

    assert silent == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"digest": "0" * 64}, "the ledger knows it by another hash"),
        ({"told": frozenset()}, "the ledger does not know its hash"),
        ({"world_hash": "0" * 64}, "its world is not the one that was hashed"),
        ({"weights": None}, "its weights are gone or damaged"),
        ({"weights": Weights(short=4.0)}, "its record is not the one that was hashed"),
        ({"world": []}, "its world cannot be read"),
        ({"decisions": 7}, "its decisions cannot be read"),
        ({"context": {"waiting": 1}}, "its record is not the one that was hashed"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], problem: str) -> None:
    answer = replayed(replace(some(), **change), CORE)

    assert any(told.startswith(problem) for told in answer.problems), answer


def test_someone_who_rewrites_record_and_hash_is_found_by_the_ledger() -> None:
    record = some()
    forged = [{**record.decisions[0], "reason": "I wanted it"}, *record.decisions[1:]]
    assert record.weights
    hashed = digest(
        weights=record.weights.to_json(), world=record.world, decisions=forged,
        owed=record.owed, context=record.context,
    )  # fmt: skip

    answer = replayed(replace(record, decisions=forged, digest=hashed), CORE)

    assert "the ledger knows it by another hash" in answer.problems


def test_other_code_that_decides_otherwise_is_no_forgery() -> None:
    record = some()
    first, *rest = record.decisions
    then = [{**first, "node": "n9"}, *rest]
    assert record.weights
    hashed = digest(
        weights=record.weights.to_json(), world=record.world, decisions=then,
        owed=record.owed, context=record.context,
    )  # fmt: skip
    made_elsewhere = replace(record, decisions=then, digest=hashed, told=frozenset({hashed}))

    assert replayed(made_elsewhere, "c2") == Replayed(other_core=True)
    assert "it decides otherwise: task" in replayed(made_elsewhere, CORE).problems[0]


def test_other_weights_show_what_they_would_have_chosen() -> None:
    fast = Score("files.read", "n1", value_sum=18, success_sum=9, weight=10, at=NOW)
    slow = Score("files.read", "n2", value_sum=3, success_sum=9, weight=10, at=NOW)
    seen = world(*(task(f"t{i}") for i in range(4)), node("n1", slots=2), node("n2", slots=2),
                 fast, slow)  # fmt: skip
    even = Weights(exploration=0.0)
    record = stored(seen, even)
    ended = {row["task"]: Ended(row["node"], row["node"] == "n1", 2.0) for row in record.decisions}
    found = WhatIf()

    found.add(seen, record.decisions, even, ended)
    assert (found.alike.decisions, found.moved.decisions) == (4, 0)
    assert (found.alike.ended, found.alike.verified, found.alike.seconds) == (4, 2, 8.0)

    other = WhatIf()
    other.add(seen, record.decisions, Weights(exploration=0.0, crowding=100.0), ended)
    assert other.alike.decisions + other.moved.decisions == 4
    assert other.moved.decisions == other.elsewhere.decisions > 0


def test_an_outcome_on_another_node_says_nothing_of_a_decision() -> None:
    record = some()
    found = WhatIf()

    found.add(world(*(task(f"t{i}", origin=f"o{i % 3}") for i in range(9)), node(slots=4)),
              record.decisions, DEFAULT_WEIGHTS,
              {row["task"]: Ended("elsewhere", True, 1.0) for row in record.decisions})  # fmt: skip

    assert (found.alike.decisions, found.alike.ended) == (4, 0)
