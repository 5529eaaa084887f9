"""Nodes are alive when they claim and finish; their windows follow how short their work is."""

import math
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from autonomy.domain.reasons import Reason
from autonomy.domain.states import State
from autonomy.engine.models import NodeStanding
from autonomy.engine.selectors import explanation_of
from autonomy.engine.selectors.nodes import nodes
from autonomy.engine.services.dispatch import dispatch
from autonomy.engine.services.watching import watch_nodes
from autonomy.systemmap.models import Component, Node
from autonomy.tasks import services
from autonomy.tasks.models import Task
from firewall.models import Dial
from ledger.domain.ids import new_id
from ledger.models import Event, NodeScore, SkillEstimate
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    join()
    declare_skills(one=1, two=2, three=3)
    Dial.objects.update(changed_at=timezone.now() - timedelta(hours=1))


def left_alone(seconds: float, skill: str = "one", **fields: object) -> Task:
    """A task that n1 was given so long ago and did not take."""
    task = dispatched(submit(skill))
    Task.objects.filter(pk=task.pk).update(
        dispatched_at=F("dispatched_at") - timedelta(seconds=seconds), **fields
    )
    return task


def passed(**time: float) -> None:
    """Let so much time pass for what is known of the node."""
    NodeStanding.objects.update(since=F("since") - timedelta(**time))


def unwell() -> str:
    return NodeStanding.objects.get(node="n1").unwell


def test_a_node_that_pings_and_does_not_claim_is_unwell_and_given_nothing() -> None:
    left_alone(25)

    watch_nodes()

    assert unwell().startswith("does not claim: a task waited there for 25 s")
    told = Event.objects.get(type="node_unwell")
    assert (told.stream_id, told.payload["trials"]) == ("n1", 1)
    waiting = submit()
    assert dispatch({}).count == 0
    explained = explanation_of(waiting.id)
    assert explained.reason is Reason.TIER_POOL_EMPTY
    assert "n1 does not claim" in explained.words


def test_it_is_given_one_task_after_a_rest_and_all_of_them_when_it_takes_it() -> None:
    old = left_alone(25)
    watch_nodes()
    services.cancel([old.id], actor="reconciler", reason="withdrawn")
    waiting = [submit() for _ in range(3)]
    passed(seconds=61)

    assert dispatch({}).count == 1
    assert dispatch({}).count == 0
    given = Task.objects.get(state=State.DISPATCHED)
    node = Node.objects.get()
    assert node.incarnation is not None
    claimed(given, node.incarnation)
    watch_nodes()

    assert unwell() == ""
    assert Event.objects.filter(type="node_well").count() == 1
    assert dispatch({}).count == len(waiting) - 1


def test_one_that_leaves_its_trial_too_rests_longer() -> None:
    left_alone(25)
    watch_nodes()
    passed(seconds=61)

    watch_nodes()

    assert NodeStanding.objects.get().failures == 2
    passed(seconds=61)
    assert not nodes().rows[0].trial


@pytest.mark.parametrize(
    "excuse", ["paused skill", "level was turned", "off", "tier 3", "full", "just given"]
)
def test_what_keeps_it_from_claiming_is_not_held_against_it(excuse: str) -> None:
    task = left_alone(5 if excuse == "just given" else 100, "three" if "3" in excuse else "one")
    match excuse:
        case "paused skill":
            Component.objects.update(paused=True)
        case "level was turned":
            Dial.objects.update(changed_at=timezone.now())
        case "off":
            Dial.objects.update(ceiling=0)
        case "full":
            join(slots=0)
        case "tier 3":
            Task.objects.filter(pk=task.pk).update(state=State.READY)
            Task.objects.filter(pk=task.pk).update(state=State.DISPATCHED)

    watch_nodes()

    assert not NodeStanding.objects.exclude(unwell="").exists()


def test_a_node_that_claims_and_never_finishes_is_unwell_until_it_does() -> None:
    node = Node.objects.get()
    assert node.incarnation is not None
    task = dispatched(submit())
    taken = claimed(task, node.incarnation)
    Task.objects.filter(pk=task.pk).update(started_at=timezone.now() - timedelta(hours=1))

    watch_nodes()

    assert unwell() == f"does not finish: task {task.id} is past all its limits"
    submit()
    assert dispatch({}).count == 0

    end = services.SessionEnd(ended="failed", error="x")
    services.settle([ending(taken, State.FAILED, session=end)])
    watch_nodes()

    assert unwell() == ""
    assert dispatch({}).count == 1


def test_a_session_within_its_limits_is_no_sickness() -> None:
    declared = Component.objects.get(name="one")
    declared.declaration = {**declared.declaration, "limits": {"wall_seconds": 7200}}
    declared.save()
    node = Node.objects.get()
    assert node.incarnation is not None
    task = dispatched(submit())
    claimed(task, node.incarnation)
    Task.objects.filter(pk=task.pk).update(started_at=timezone.now() - timedelta(hours=1))

    watch_nodes()

    assert not NodeStanding.objects.exclude(unwell="").exists()


def lately(skill: str, seconds: float, speed: float, weight: float = 10.0) -> None:
    """What is known of a skill: how long it takes anywhere, and how much faster on n1."""
    SkillEstimate.objects.create(
        skill=skill, seconds_sum=seconds * weight, verified_weight=weight, success_sum=weight,
        weight=weight,
    )  # fmt: skip
    NodeScore.objects.create(
        node="n1", skill=skill, value_sum=speed * weight, success_sum=weight, weight=weight
    )


def test_the_mean_of_a_node_is_that_of_what_it_did_by_how_fast_it_is() -> None:
    lately("one", 2.0, speed=2.0, weight=30)
    lately("two", 8.0, speed=0.5, weight=10)

    watch_nodes()

    mean = NodeStanding.objects.get().mean_seconds
    assert mean == pytest.approx((30 * 1.0 + 10 * 16.0) / 40, rel=1e-3)
    assert nodes().rows[0].mean_seconds == mean


@pytest.mark.parametrize("broken", [math.nan, math.inf, -1.0, 0.0])
def test_records_that_are_no_numbers_give_no_mean(broken: float) -> None:
    lately("one", 2.0, speed=1.0)
    NodeScore.objects.update(success_sum=broken)

    watch_nodes()

    assert nodes().rows[0].mean_seconds == 0


def test_a_node_with_short_tasks_is_given_a_few_beyond_its_slots_and_no_more() -> None:
    join(slots=2)
    lately("one", 0.02, speed=1.0)
    watch_nodes()
    for _ in range(20):
        Task.objects.filter(pk=submit().pk).update(estimate_seconds=0.02)

    assert dispatch({}, round_trip=0.03).count == 2 + 3
    assert dispatch({}, round_trip=0.03).count == 0
    Task.objects.update(estimate_seconds=0.02)
    assert dispatch({}, round_trip=1.0).count == 4 - 3, "two per slot are the most"


def test_longer_work_on_it_closes_the_window() -> None:
    join(slots=2)
    lately("one", 0.02, speed=1.0)
    watch_nodes()
    for _ in range(2):
        left_alone(0, estimate_seconds=60.0)
    submit()

    assert dispatch({}, round_trip=0.1).count == 0


def test_watching_many_nodes_takes_as_many_statements_as_watching_one() -> None:
    counts = []
    for n in (1, 20):
        for i in range(n):
            join(f"n{n}x{i}")
            task = left_alone(25)
            Task.objects.filter(pk=task.pk).update(node=f"n{n}x{i}")
        with CaptureQueriesContext(connection) as queries:
            assert watch_nodes() >= n
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_did_not_change_is_not_written() -> None:
    lately("one", 2.0, speed=1.0)
    assert watch_nodes() == 1

    assert watch_nodes() == 0


def test_a_node_that_left_is_not_watched() -> None:
    Node.objects.update(incarnation=None)
    Task.objects.filter(pk=left_alone(100).pk).update(node="gone", session_id=new_id())

    assert watch_nodes() == 0
