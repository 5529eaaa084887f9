"""Claiming by compare-and-set, leases and the fence (C-4, C-5)."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autonomy.domain.states import State
from autonomy.tasks import services
from autonomy.tasks.models import Effect, Session, Task
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    declare_skills(one=1, two=2, three=3)


def let_the_lease_run_out(task_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET lease_until = now() - interval '1 s' WHERE id = %s", [task_id]
        )


def test_a_claimed_task_runs_under_a_lease_in_a_session_of_its_own() -> None:
    task = dispatched(submit())

    taken = claimed(task, join())

    task.refresh_from_db()
    assert task.state == State.RUNNING
    assert task.attempt == 1
    assert task.lease_until is not None
    session = Session.objects.get(id=taken.session_id)
    assert (session.task_id, session.purpose, session.epoch) == (task.id, "run", task.epoch)


def test_only_one_of_two_claims_of_a_task_wins() -> None:
    task, node = dispatched(submit()), join()
    claims = [
        services.Claim(task.id, task.epoch, new_id(), "v1", "d", needs_approval=False)
        for _ in range(2)
    ]

    won = [services.claim("n1", node, [claim]) for claim in claims]

    assert [len(taken) for taken in won] == [1, 0]
    assert Session.objects.filter(task=task).count() == 1


def test_a_claim_at_an_old_epoch_takes_nothing() -> None:
    task, node = dispatched(submit()), join()
    stale = services.Claim(task.id, task.epoch - 1, new_id(), "v1", "d", needs_approval=False)

    assert services.claim("n1", node, [stale]) == []


def test_a_process_whose_name_another_has_taken_claims_nothing() -> None:
    task, replaced = dispatched(submit()), join()
    join()

    claim = services.Claim(task.id, task.epoch, new_id(), "v1", "d", needs_approval=False)

    assert services.claim("n1", replaced, [claim]) == []


def test_a_node_claims_no_more_than_its_free_slots() -> None:
    node = join(slots=2)
    tasks = [dispatched(submit()) for _ in range(5)]
    claims = [
        services.Claim(t.id, t.epoch, new_id(), "v1", "d", needs_approval=False) for t in tasks
    ]

    assert len(services.claim("n1", node, claims)) == 2
    assert services.claim("n1", node, claims[2:]) == []


def test_one_bad_row_does_not_sink_its_batch() -> None:
    node = join()
    good = dispatched(submit())
    claims = [
        services.Claim(new_id(), 1, new_id(), "v1", "d", needs_approval=False),
        services.Claim(good.id, good.epoch, new_id(), "v1", "d", needs_approval=False),
    ]

    assert [taken.task_id for taken in services.claim("n1", node, claims)] == [good.id]


def test_a_tier_3_task_is_not_claimed_without_an_approval_of_its_bytes() -> None:
    task, node = dispatched(submit()), join()
    claim = services.Claim(task.id, task.epoch, new_id(), "v1", "d", needs_approval=True)

    assert services.claim("n1", node, [claim]) == []


def test_renewing_answers_only_what_is_still_held() -> None:
    node = join()
    kept, lost = (claimed(dispatched(submit()), node) for _ in range(2))
    let_the_lease_run_out(lost.task_id)
    services.reconcile()

    answer = services.renew([(t.task_id, t.epoch, t.session_id) for t in (kept, lost)])

    assert answer == {kept.task_id: False}


def test_renewing_tells_that_an_end_is_asked_for() -> None:
    taken = claimed(dispatched(submit()), join())

    services.cancel([taken.task_id], actor="person:ada", reason="no longer wanted")

    assert services.renew([(taken.task_id, taken.epoch, taken.session_id)]) == {taken.task_id: True}


def test_a_lease_that_ran_out_makes_the_task_ready_again_behind_a_new_fence() -> None:
    taken = claimed(dispatched(submit()), join())
    let_the_lease_run_out(taken.task_id)

    services.reconcile()

    task = Task.objects.get(id=taken.task_id)
    assert (task.state, task.node, task.lease_until) == (State.READY, "", None)
    assert task.epoch > taken.epoch
    assert Session.objects.get(id=taken.session_id).ended == "lost"


def test_a_zombie_that_settles_late_changes_nothing_and_is_recorded() -> None:
    taken = claimed(dispatched(submit()), join())
    let_the_lease_run_out(taken.task_id)
    services.reconcile()

    moved = services.settle([ending(taken, State.DONE, verdict="verified")])

    assert not moved
    assert Task.objects.get(id=taken.task_id).state == State.READY
    assert not Outcome.objects.exists()
    assert Event.objects.filter(type="stale_write_rejected").count() == 1


def test_a_zombie_can_no_longer_begin_an_effect() -> None:
    taken = claimed(dispatched(submit()), join())
    let_the_lease_run_out(taken.task_id)
    services.reconcile()

    with (
        pytest.raises(services.StaleWrite),
        services.fenced(taken.task_id, taken.epoch, taken.session_id),
    ):
        raise AssertionError("the fence let it through")

    assert not Effect.objects.exists()


def test_a_task_whose_attempts_are_used_up_fails_and_says_why() -> None:
    node = join()
    task = submit()
    attempts = []
    for _ in range(3):
        attempts.append(claimed(dispatched(task), node).attempt)
        let_the_lease_run_out(task.id)
        services.reconcile()
        task.refresh_from_db()

    assert task.state == State.FAILED
    assert "attempt 3 of 3" in task.reason
    outcome = Outcome.objects.get(task_id=task.id)
    assert (outcome.state, outcome.error_class, outcome.retries) == ("failed", "lost", 2)
    assert attempts == [1, 2, 3]


def test_a_task_its_node_does_not_take_goes_back_to_the_engine() -> None:
    task = dispatched(submit(), node="gone")

    services.reconcile()

    task.refresh_from_db()
    assert (task.state, task.node) == (State.READY, "")


def test_a_task_waits_for_a_node_that_has_no_free_slot() -> None:
    node = join(slots=1)
    claimed(dispatched(submit()), node)
    waiting = dispatched(submit())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_task SET dispatched_at = now() - interval '60 s'")

    services.reconcile()

    waiting.refresh_from_db()
    assert (waiting.state, waiting.node) == (State.DISPATCHED, "n1")


def test_an_effect_that_was_done_is_not_done_again_by_a_later_attempt() -> None:
    node, task = join(), submit()
    first = claimed(dispatched(task), node)
    with services.fenced(task.id, first.epoch, first.session_id) as held:
        assert services.begin_effect(held, "send") == ("new", None)
    with services.fenced(task.id, first.epoch, first.session_id) as held:
        services.complete_effect(held, "send", {"id": 7})
    let_the_lease_run_out(task.id)
    services.reconcile()
    task.refresh_from_db()

    second = claimed(dispatched(task), node)

    with services.fenced(task.id, second.epoch, second.session_id) as held:
        assert services.begin_effect(held, "send") == ("done", {"id": 7})


def test_an_effect_that_was_only_begun_is_told_so_to_a_later_attempt() -> None:
    node, task = join(), submit()
    first = claimed(dispatched(task), node)
    with services.fenced(task.id, first.epoch, first.session_id) as held:
        services.begin_effect(held, "send")
    let_the_lease_run_out(task.id)
    services.reconcile()
    task.refresh_from_db()

    second = claimed(dispatched(task), node)

    with services.fenced(task.id, second.epoch, second.session_id) as held:
        assert services.begin_effect(held, "send") == ("begun", None)


def test_claiming_and_settling_take_as_many_statements_for_fifty_as_for_one() -> None:
    counts = []
    for n in (1, 50):
        node = join(f"n{n}", slots=64)
        tasks = [dispatched(submit(), node=f"n{n}") for _ in range(n)]
        claims = [
            services.Claim(t.id, t.epoch, new_id(), "v1", "d", needs_approval=False) for t in tasks
        ]
        with CaptureQueriesContext(
            connection,
        ) as claiming:
            taken = services.claim(f"n{n}", node, claims)
        end = services.SessionEnd(ended="ok")
        for one in taken:
            services.await_evidence(
                one.task_id, one.epoch, one.session_id, result=None, session=end
            )
        with CaptureQueriesContext(connection) as settling:
            services.settle([ending(t, State.DONE, verdict="verified") for t in taken])
        counts.append((len(claiming), len(settling)))

    assert Outcome.objects.count() == 51
    assert counts[0] == counts[1]


def test_a_skill_that_has_become_riskier_is_planned_and_asked_about_before_it_runs() -> None:
    task = dispatched(submit())

    assert services.raise_tier(task.id, task.epoch, 3, node="n1")

    task.refresh_from_db()
    assert (task.tier, task.state, task.node) == (3, State.PREFLIGHT, "")
