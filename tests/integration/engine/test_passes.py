"""Passes of the engine: dispatching, hearing answers, leading (D-1, D-4, D-20)."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from autonomy.domain.decide import decide
from autonomy.domain.isolation import Rung, told
from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.reasons import Reason
from autonomy.domain.states import HeldFor, State
from autonomy.domain.world import from_json, world_hash
from autonomy.engine.models import Leadership, Pass
from autonomy.engine.selectors import explanation_of
from autonomy.engine.selectors.ready import PER_ORIGIN
from autonomy.engine.services import leadership
from autonomy.engine.services.answers import hear_answers
from autonomy.engine.services.dispatch import dispatch
from autonomy.systemmap.models import Component
from autonomy.systemmap.models import Node as NodeRow
from autonomy.tasks import services
from autonomy.tasks.models import Effect, Task
from firewall import services as firewall
from firewall.domain.action import Action
from firewall.domain.levels import Level
from firewall.models import Approval, Dial
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    join()
    declare_skills(one=1, two=2, three=3)


def held(
    task: Task, reason: str = HeldFor.APPROVAL, lasts: timedelta = timedelta(hours=1)
) -> firewall.Request:
    """Hold a task for a person, as a node does."""
    taken = claimed(dispatched(task), join())
    expires_at = (timezone.now() + lasts).isoformat()
    action = Action(
        skill=task.skill, version="v1", args={}, scope={}, tier=task.tier,
        idempotency_key=str(task.id), expires_at=expires_at,
    )  # fmt: skip
    asked = firewall.Request(task_id=task.id, action=action, requested_by="service:one")
    assert services.hold(ending(taken, State.HELD, reason=reason), asked)
    task.refresh_from_db()
    return asked


def decide_about(task: Task, decision: str) -> None:
    """Let a person who is not the requester answer."""
    person, _ = User.objects.get_or_create(username="grace", is_superuser=True, is_staff=True)
    approval = Approval.objects.get(task_id=task.id)
    firewall.decide(approval.id, person, decision, "not today")


def test_a_ready_task_is_dispatched_to_a_node_that_has_its_skill() -> None:
    task = submit()

    done = dispatch({})

    task.refresh_from_db()
    assert (task.state, task.node, task.epoch) == (State.DISPATCHED, "n1", 1)
    assert done.doorbells == {("n1", 1)}


@pytest.mark.parametrize(
    "declared", [{"isolation": Rung.SYSCALLS}, {"isolation": 0, "foreign_code": True}]
)
def test_a_task_that_no_node_cuts_off_far_enough_waits_and_says_so(
    declared: dict[str, Any],
) -> None:
    skill = Component.objects.get(name="one")
    Component.objects.update(declaration={**skill.declaration, **declared})
    NodeRow.objects.update(isolation=Rung.FILES)
    task = submit()

    assert dispatch({}).count == 0
    why = explanation_of(task.id)
    assert why.reason is Reason.NO_CAPABLE_NODE
    needed = Rung.SYSCALLS if declared["isolation"] else Rung.NETWORK
    assert f"n1 offers isolation 1 (files), {told(needed)} is needed" in why.words
    NodeRow.objects.update(isolation=needed)
    assert dispatch({}).count == 1


def test_a_task_that_is_not_due_is_left() -> None:
    submit(run_at=timezone.now() + timedelta(hours=1))

    assert dispatch({}).count == 0


def test_a_second_pass_does_not_dispatch_again() -> None:
    submit()
    dispatch({})

    assert dispatch({}).count == 0


def test_a_stored_pass_decides_the_same_again() -> None:
    for _ in range(5):
        submit()
    dispatch({})

    kept = Pass.objects.get()
    world = from_json(kept.world)
    assert world_hash(world) == kept.world_hash
    again = decide(world, DEFAULT_WEIGHTS)
    assert [(d.task, d.node) for d in again] == [(d["task"], d["node"]) for d in kept.decisions]


def test_dispatching_takes_as_many_statements_for_fifty_as_for_one() -> None:
    counts = []
    for n in (1, 50):
        join("n1", slots=60)
        for _ in range(n):
            submit()
        with CaptureQueriesContext(connection) as queries:
            assert dispatch({}).count == n
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_tasks_that_others_wait_behind_do_not_cost_a_pass_more_statements() -> None:
    with CaptureQueriesContext(connection) as few:
        dispatch({})
    for _ in range(200):
        submit(run_at=timezone.now() + timedelta(days=1))
    with CaptureQueriesContext(connection) as many:
        dispatch({})

    assert len(few) == len(many)


def test_a_pass_without_room_does_not_read_what_waits() -> None:
    submit()
    join(slots=0)

    with CaptureQueriesContext(connection) as queries:
        assert dispatch({}).count == 0

    assert not any("ranked" in query["sql"] for query in queries)


def test_an_approved_task_is_ready_and_a_rejected_one_ends() -> None:
    yes, no = submit("three"), submit("three")
    for task in (yes, no):
        held(task)
    decide_about(yes, "approved")
    decide_about(no, "rejected")

    hear_answers()

    yes.refresh_from_db()
    no.refresh_from_db()
    assert (yes.state, no.state) == (State.READY, State.REJECTED)
    assert Outcome.objects.get(task_id=no.id).reason == "rejected by grace: not today"


def test_silence_is_no() -> None:
    task = submit("three")
    held(task, lasts=timedelta(milliseconds=200))
    time.sleep(0.25)

    services.reconcile()
    hear_answers()

    task.refresh_from_db()
    assert task.state == State.EXPIRED


def test_letting_an_ambiguous_task_run_again_forgets_the_effect_of_unknown_fate() -> None:
    task = submit("three")
    held(task, f"{HeldFor.AMBIGUOUS}: the mail may have been sent")
    Effect.objects.create(task=task, step="send", epoch=1)

    decide_about(task, "approved")
    hear_answers()

    task.refresh_from_db()
    assert task.state == State.PREFLIGHT
    assert not Effect.objects.exists()
    assert Event.objects.filter(type="effect_forgotten").exists()


def test_one_engine_leads_and_another_takes_over_when_it_steps_down() -> None:
    first, second = new_id(), new_id()

    assert leadership.lead(first)
    assert not leadership.lead(second)
    assert leadership.lead(first)
    leadership.step_down(first)
    assert leadership.lead(second)


def test_a_leader_that_stopped_renewing_is_replaced() -> None:
    first, second = new_id(), new_id()
    leadership.lead(first)
    Leadership.objects.update(until="2020-01-01T00:00Z")

    assert leadership.lead(second)
    assert not leadership.lead(first)


def test_explain_says_where_a_task_stands() -> None:
    waiting, given, running, ended, asked = (submit() for _ in range(5))
    dispatched(given)
    claimed(dispatched(running), join())
    services.cancel([ended.id], actor="person:ada", reason="a mistake")
    held(asked)
    join(slots=0)

    said = [explanation_of(task.id).words for task in (waiting, given, running, ended, asked)]

    wanted = ["not started", "given to n1", "runs on n1", "ended cancelled", "a person's approval"]
    assert [words in text for words, text in zip(wanted, said, strict=True)] == [True] * 5, said


@pytest.mark.parametrize("why", ["paused", "not loaded"])
def test_what_cannot_run_does_not_hide_what_can_of_the_same_origin(why: str) -> None:
    declare_skills(one=1, two=2, three=3, other=1)
    for _ in range(PER_ORIGIN + 1):
        submit("other", priority_hint=100)
    hidden = submit("one")
    if why == "paused":
        Component.objects.filter(name="other").update(paused=True)
    else:
        NodeRow.objects.update(versions={"one": "v1"})
    NodeRow.objects.update(seen_at=timezone.now())  # it pings, however long all this took

    assert dispatch({}).count == 1

    hidden.refresh_from_db()
    assert hidden.state == State.DISPATCHED


def test_at_observe_what_may_not_run_does_not_hide_a_plan() -> None:
    for _ in range(PER_ORIGIN + 1):
        submit("one", priority_hint=100)
    plan = submit("two")
    Dial.objects.update(ceiling=Level.OBSERVE.rank)
    NodeRow.objects.update(seen_at=timezone.now())

    assert dispatch({}).count == 1

    plan.refresh_from_db()
    assert plan.node == "n1"
