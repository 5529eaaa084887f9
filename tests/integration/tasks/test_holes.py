"""What falls between two writers: an end asked for late, a lost answer, an approval in vain."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from autonomy.domain.states import State
from autonomy.engine.services.unblock import unblock
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services
from autonomy.tasks.models import Artifact, Task
from autonomy.tasks.services.claim import MOST_REFUSALS
from autonomy.tasks.services.sessions import Kept
from firewall.models import Approval
from ledger.models import Event, Outcome
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    declare_skills(one=1, two=2, three=3)


@pytest.mark.parametrize("going_to", [State.READY, State.HELD])
def test_a_task_whose_end_was_asked_for_is_not_given_another_attempt(going_to: State) -> None:
    taken = claimed(dispatched(submit()), join())
    services.cancel([taken.task_id], actor="person:ada", reason="no longer wanted")

    services.settle([ending(taken, going_to, reason="it failed")])

    task = Task.objects.get(id=taken.task_id)
    assert (task.state, task.reason) == (
        State.CANCELLED,
        "cancelled: no longer wanted; it failed",
    )
    assert Outcome.objects.get(task_id=task.id).state == State.CANCELLED
    assert Event.objects.filter(type="task_cancelled", stream_id=str(task.id)).exists()


def test_a_plan_that_is_accepted_after_the_end_was_asked_for_starts_nothing() -> None:
    taken = claimed(dispatched(submit("two")), join())
    services.cancel([taken.task_id], actor="person:ada", reason="no longer wanted")

    lease = (taken.task_id, taken.epoch, taken.session_id)
    services.plan_accepted(*lease, plan={}, session=services.SessionEnd(ended="ok"))

    assert Task.objects.get(id=taken.task_id).state == State.CANCELLED


def test_what_was_written_by_a_commit_whose_answer_was_lost_is_not_written_twice() -> None:
    taken = claimed(dispatched(submit()), join())
    end = services.SessionEnd(ended="ok", artifacts=[Kept("a", "0" * 64, 1)])
    lease = (taken.task_id, taken.epoch, taken.session_id)

    answers = [services.await_evidence(*lease, result=1, session=end) for _ in range(2)]

    assert answers == [True, True]
    assert Artifact.objects.filter(task_id=taken.task_id).count() == 1
    assert not Event.objects.filter(type="stale_write_rejected").exists()


def test_a_task_that_changes_after_every_approval_fails_in_the_end() -> None:
    task = submit("three")
    person = User.objects.create(username="grace")
    for turn in range(MOST_REFUSALS):
        Task.objects.filter(id=task.id).update(state=State.READY)
        dispatched(task)
        Approval.objects.create(
            task_id=task.id, skill="three", tier=3, action="{}", action_digest=str(turn) * 64,
            requested_by="person:ada", decision="approved", decided_by=person,
            decided_at=timezone.now(), expires_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip
        assert services.refuse(task.id, task.epoch, node="n1", reason="it moved", digest="d")
        task.refresh_from_db()

    assert task.state == State.FAILED
    assert "refused after each of 5 approvals" in task.reason


@pytest.mark.parametrize(
    "value", ["a\0b", {"$ref": 5, "path": ""}, {"$ref": "nobody", "path": ""}, "x" * 200_000]
)
def test_arguments_that_cannot_be_kept_are_refused(value: Any) -> None:
    with pytest.raises(services.BadRequest):
        submit("one", {"x": value})

    assert not Task.objects.exists()


def test_a_node_that_has_left_gives_back_at_once_what_it_did_not_take() -> None:
    task = dispatched(submit())
    systemmap.leave("n1", join())

    services.reconcile()

    task.refresh_from_db()
    assert (task.state, task.node) == (State.READY, "")


def test_arguments_that_cannot_be_made_end_their_task_and_not_the_engine() -> None:
    bad, good = (submit(depends_on=[submit().id]) for _ in range(2))
    Task.objects.filter(id=bad.id).update(args={"x": {"$ref": 5, "path": ""}})
    Task.objects.filter(state=State.BLOCKED).update(waiting_on=0, always_run=True)

    unblock()

    states = {task.id: task.state for task in Task.objects.filter(id__in=[bad.id, good.id])}
    assert states == {bad.id: State.FAILED, good.id: State.READY}


@pytest.mark.parametrize("hint", [float("nan"), float("inf")])
def test_a_priority_that_is_no_number_is_refused(hint: float) -> None:
    with pytest.raises(services.BadRequest, match="priority_hint"):
        submit(priority_hint=hint)
