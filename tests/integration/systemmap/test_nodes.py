"""Nodes join, live and leave by the database's clock; an old incarnation changes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from autonomy.systemmap import selectors
from autonomy.systemmap.models import Node
from autonomy.systemmap.services import (
    NodeFacts,
    Replaced,
    Standing,
    beat,
    drain_nodes,
    leave,
    pause_nodes,
    register,
    resume_nodes,
)
from ledger.domain.ids import new_id
from ledger.models import Event, NodeDay

pytestmark = pytest.mark.django_db


def facts(*, isolation: int = 0, pid: int | None = None) -> NodeFacts:
    return NodeFacts("a", tiers=[3, 1], slots=2, labels=["gpu"], isolation=isolation, pid=pid)


def node() -> Node:
    return Node.objects.get(name="a")


def alive() -> list[str]:
    return [n.name for n in selectors.nodes_alive()]


def test_a_node_that_joins_is_alive_with_what_it_said() -> None:
    register(facts(isolation=2, pid=77))

    assert alive() == ["a"]
    found = node()
    assert (found.tiers, found.slots, found.labels, found.isolation, found.pid) == (
        [1, 3],
        2,
        ["gpu"],
        2,
        77,
    )
    joined = Event.objects.get(type="node_joined")
    assert (joined.stream_id, joined.payload["isolation"]) == ("a", 2)


def test_joining_takes_two_statements(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):  # between a savepoint and its release
        register(facts())


def test_a_beat_is_two_statements_and_tells_what_the_operator_wants(
    django_assert_num_queries: Any,
) -> None:
    incarnation = register(facts())
    pause_nodes([node().id], by="person:ann")

    with django_assert_num_queries(2 + 2):  # and two for the savepoint
        standing = beat("a", incarnation)

    assert standing == Standing(paused=True, draining=False)


def test_a_node_not_seen_for_15_seconds_is_not_alive_until_it_beats() -> None:
    incarnation = register(facts())
    Node.objects.update(seen_at=Now() - timedelta(seconds=16))
    assert alive() == []

    beat("a", incarnation)

    assert alive() == ["a"]


def test_only_a_beat_that_claimed_moves_the_time_of_the_last_claim() -> None:
    incarnation = register(facts())

    beat("a", incarnation)
    assert node().claimed_at is None

    beat("a", incarnation, claimed=True)
    assert node().claimed_at is not None


def test_what_lies_between_two_beats_is_added_to_the_day() -> None:
    incarnation = register(facts())
    Node.objects.update(seen_at=Now() - timedelta(seconds=5))

    beat("a", incarnation, busy_seconds=7.5)

    day = NodeDay.objects.get(node="a")
    assert day.alive_seconds == pytest.approx(5, rel=0.1)
    assert day.slot_seconds == pytest.approx(10, rel=0.1)
    assert day.busy_seconds == 7.5


def test_a_node_that_was_away_has_not_lived_meanwhile_nor_been_busier_than_its_slots() -> None:
    incarnation = register(facts())
    Node.objects.update(seen_at=Now() - timedelta(hours=2))

    beat("a", incarnation, busy_seconds=7200)

    day = NodeDay.objects.get(node="a")
    assert (day.alive_seconds, day.slot_seconds, day.busy_seconds) == (15, 30, 30)


def test_an_old_incarnation_is_refused() -> None:
    old = register(facts())
    new = register(facts())

    with pytest.raises(Replaced):
        beat("a", old)
    with pytest.raises(Replaced):
        leave("a", old)
    beat("a", new)


def test_a_node_that_was_never_there_is_refused() -> None:
    with pytest.raises(Replaced):
        beat("nowhere", new_id())


def test_a_node_that_left_is_not_alive_and_cannot_beat() -> None:
    incarnation = register(facts())

    leave("a", incarnation)

    assert alive() == []
    with pytest.raises(Replaced):
        beat("a", incarnation)
    assert Event.objects.filter(type="node_left").count() == 1


def test_a_pause_outlives_the_process_and_draining_does_not() -> None:
    register(facts())
    pause_nodes([node().id], by="person:ann", reason="disk")
    drain_nodes([node().id], by="person:ann")

    register(facts())

    assert (node().paused, node().draining) == (True, False)


def test_resuming_a_node_ends_its_pause_and_its_draining() -> None:
    register(facts())
    ids = [node().id]
    pause_nodes(ids, by="person:ann")
    drain_nodes(ids, by="person:ann")

    assert [n.name for n in resume_nodes(ids, by="person:ann")] == ["a"]
    assert resume_nodes(ids, by="person:ann") == []
    assert (node().paused, node().draining) == (False, False)
