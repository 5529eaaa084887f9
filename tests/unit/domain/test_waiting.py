"""One reason binds a task that could be dispatched and is not (D-5, D-21)."""

from typing import Any

import pytest
from hypothesis import given

from autonomy.domain.decide import decide
from autonomy.domain.placement import Board, need_of
from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.reasons import Reason
from autonomy.domain.waiting import why_waiting
from autonomy.domain.world import Stop, Subject, World
from firewall.domain.levels import Level
from tests.unit.domain.worlds import LOADED, node, task, world, worlds


@given(worlds)
def test_every_task_that_stays_behind_has_a_reason_that_is_true(given_world: World) -> None:
    sent = {decision.task for decision in decide(given_world)}
    board = Board(given_world, DEFAULT_WEIGHTS)

    for left in given_world.tasks:
        reason = why_waiting(given_world, left).reason
        if left.id in sent:
            assert reason is Reason.PRIORITY
        elif board.open_to(need_of(left)):
            assert reason not in {Reason.NO_CAPABLE_NODE, Reason.TIER_POOL_EMPTY}


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        ({"labels": ("eu",)}, "n1 lacks the label gpu"),
        ({"labels": ("gpu",), "skills": {}}, "n1 has not loaded files.read"),
        ({"labels": ("gpu",), "skills": {"files.read": "v0"}}, "n1 has another version"),
        (
            {"labels": ("gpu",), "isolation": 1},
            "n1 offers isolation 1 (files), 2 (network) is needed",
        ),
        ({"labels": ("gpu",), "tiers": (1, 3)}, "n1 does not take tier 2"),
    ],
)
def test_no_capable_node_names_what_each_lacks(lack: dict[str, Any], words: str) -> None:
    picky = task(tier=2, labels=("gpu",), isolation=2, version="v1")
    fields = {"isolation": 2, "skills": LOADED, **lack}

    waiting = why_waiting(world(picky, node(**fields), node("n2", isolation=2)), picky)

    assert waiting.reason is Reason.NO_CAPABLE_NODE
    assert words in waiting.words


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ({"alive": False}, "n1 is not alive"),
        ({"paused": True}, "n1 is paused"),
        ({"draining": True}, "n1 is draining"),
        ({"tiers": (1,)}, "no node takes tier 3"),
    ],
)
def test_an_empty_pool_of_its_tier_is_named(standing: dict[str, Any], words: str) -> None:
    risky = task(tier=3)

    waiting = why_waiting(world(risky, node(**standing), node("n2", tiers=(1, 2))), risky)

    assert waiting.reason is Reason.TIER_POOL_EMPTY
    assert words in waiting.words


def test_a_stop_gives_its_own_reason_and_words() -> None:
    stop = Stop(Reason.BUDGET, Subject.SKILL, "files.read", "the day's budget is spent")

    waiting = why_waiting(world(node(), stop), task())

    assert (waiting.reason, waiting.words) == (Reason.BUDGET, "the day's budget is spent")


def test_the_widest_stop_binds() -> None:
    stops = [
        Stop(Reason.PAUSED, Subject.SKILL, "files.read"),
        Stop(Reason.PAUSED, Subject.EVERYTHING),
    ]

    assert "everything is stopped" in why_waiting(world(node(), *stops), task()).words


def test_the_autonomy_level_is_named() -> None:
    waiting = why_waiting(world(node(), level=Level.ASK), task(tier=2))

    assert waiting.reason is Reason.AUTONOMY_LEVEL
    assert waiting.words == "the autonomy level is ask: tier 2 waits for a person"


def test_the_rank_counts_only_what_competes_for_the_same_nodes() -> None:
    mine = task("mine", labels=("gpu",))
    rows = [
        task("ahead", dependents=5),
        task("ahead too", labels=("gpu",), hint=1),
        task("behind", hint=-1),
        task("elsewhere", tier=3, dependents=50),
        task("paused", origin="person:bob", dependents=50),
    ]
    full = node("n1", tiers=(1,), labels=("gpu",), in_use=2)
    stop = Stop(Reason.PAUSED, Subject.ORIGIN, "person:bob")

    waiting = why_waiting(world(mine, *rows, full, node("n2", tiers=(3,)), stop), mine)

    assert waiting.reason is Reason.PRIORITY
    assert (waiting.details["rank"], waiting.details["of"]) == (3, 4)
    assert waiting.words == (
        "2 of 4 waiting tasks come first (its priority is 18.35); "
        "the nodes that can take it are full"
    )


def test_what_goes_next_says_so() -> None:
    waiting = why_waiting(world(task(), node()), task())

    assert waiting.words == (
        "it is first in line (its priority is 18.35); a slot is free for the next pass"
    )
