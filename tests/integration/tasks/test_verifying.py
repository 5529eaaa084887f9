"""A verification is held by one node at a time, and its deadline is the database's."""

from uuid import UUID

import pytest
from django.db import connection

from autonomy.domain.states import State
from autonomy.sdk.evidence import Verdict
from autonomy.tasks import services
from autonomy.tasks.models import Task
from ledger.models import Event
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit
from tests.support.threads import at_once

SEEN = {"id": "e1", "verdict": "inconclusive", "checks": []}


def verifying(within: float = 60.0, node: UUID | None = None) -> services.Claimed:
    """A task whose session has ended, as its node holds it."""
    declare_skills(one=1)
    taken = claimed(dispatched(submit()), node or join())
    assert services.await_evidence_of(
        [
            services.Left(
                taken.task_id, taken.epoch, taken.session_id, "answer",
                services.SessionEnd(ended="ok"), within,
            )
        ]
    )  # fmt: skip
    return taken


def look_again(taken: services.Claimed, pause: float = 1.0) -> services.Again | None:
    return services.look_again(
        taken.task_id, taken.epoch, taken.session_id, evidence=SEEN, pause_seconds=pause
    )


@pytest.mark.parametrize("verdict", [Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_a_task_cannot_end_done_against_its_evidence(db: None, verdict: Verdict) -> None:
    taken = verifying()

    with pytest.raises(ValueError, match="cannot end done"):
        ending(taken, State.DONE, verdict=verdict)


def test_the_next_look_is_never_after_the_deadline(db: None) -> None:
    taken = verifying(within=5)

    again = look_again(taken, pause=30)

    assert again is not None
    assert 0 < again.pause_seconds <= 5
    assert Task.objects.get(id=taken.task_id).evidence == SEEN


def test_after_the_deadline_nothing_is_looked_at_again(db: None) -> None:
    taken = verifying()
    _run("UPDATE tasks_task SET verify_until = now()")

    assert look_again(taken) is None
    assert Task.objects.get(id=taken.task_id).evidence is None


def test_a_node_that_is_fenced_off_keeps_no_evidence(db: None) -> None:
    taken = verifying()
    services.release("n1")

    with pytest.raises(services.StaleWrite):
        look_again(taken)

    assert Task.objects.get(id=taken.task_id).evidence is None
    assert Event.objects.filter(type="stale_write_rejected").exists()


def test_a_lease_that_ran_out_while_evidence_was_looked_for_is_no_failure(db: None) -> None:
    taken = verifying()
    _run("UPDATE tasks_task SET lease_until = now() - interval '1 s'")

    services.reconcile()

    task = Task.objects.get(id=taken.task_id)
    assert (task.state, task.lease_until, task.attempt) == (State.VERIFYING, None, 1)
    assert task.epoch == taken.epoch + 1


def test_one_whose_end_was_asked_for_is_cancelled_with_its_lease(db: None) -> None:
    taken = verifying()
    _run("UPDATE tasks_task SET lease_until = now() - interval '1 s', cancel_requested_at = now()")

    services.reconcile()

    assert Task.objects.get(id=taken.task_id).state == State.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_nodes_goes_on_with_it() -> None:
    taken = verifying()
    incarnations = {name: join(name) for name in ("n2", "n3")}
    services.release("n1")

    adopted = at_once(
        *(
            lambda name=name, mine=mine: services.adopt(name, mine, [taken.task_id])
            for name, mine in incarnations.items()
        )
    )

    assert sorted(map(len, adopted)) == [0, 1]
    task = Task.objects.get(id=taken.task_id)
    assert task.node in incarnations
    assert task.lease_until is not None


def test_a_process_whose_name_another_has_taken_goes_on_with_nothing(db: None) -> None:
    taken = verifying()
    old, _ = join("n2"), join("n2")
    services.release("n1")

    assert services.adopt("n2", old, [taken.task_id]) == []


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_its_next_look_holds_no_slot() -> None:
    node = join(slots=1)
    taken = verifying(node=node)
    other = dispatched(submit())
    wanted = services.Claim(other.id, other.epoch, other.id, "v1", "digest", needs_approval=False)

    before = services.claim("n1", node, [wanted])
    look_again(taken, pause=30)

    assert (before, len(services.claim("n1", node, [wanted]))) == ([], 1)


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
