"""The one way in, and what follows from dependencies (C-1, C-8, C-10, D-7)."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from autonomy.domain.states import MOVES, TERMINAL, State
from autonomy.engine.services.unblock import unblock
from autonomy.systemmap.selectors import UnknownSkill
from autonomy.tasks import services
from autonomy.tasks.models import Task
from autonomy.tasks.services import Child
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    declare_skills(one=1, two=2, three=3)


def children(parent: Task, *asked: Child) -> dict[str, Task]:
    ids = services.submit_children(parent, asked)
    return {key: Task.objects.get(id=task_id) for key, task_id in ids.items()}


def finish(task: Task, state: State = State.DONE, result: object = None) -> None:
    """Bring a ready task to its end, as a node would."""
    taken = claimed(dispatched(task), join())
    if state is State.DONE:
        end = services.SessionEnd(ended="ok")
        services.await_evidence(*_lease(taken), result=result, session=end)
    services.settle([ending(taken, state)])


def _lease(taken: services.Claimed) -> tuple[UUID, int, UUID]:
    return taken.task_id, taken.epoch, taken.session_id


@pytest.mark.parametrize(
    ("skill", "state"), [("one", "ready"), ("two", "preflight"), ("three", "preflight")]
)
def test_a_task_starts_where_its_tier_says(skill: str, state: str) -> None:
    assert submit(skill).state == state


def test_submitting_is_recorded_in_the_same_transaction() -> None:
    task = submit(cause=["person:ada"])

    event = Event.objects.get(type="task_submitted", stream_id=str(task.id))
    assert (event.actor, event.cause) == ("person:ada", ["person:ada"])


def test_an_unknown_skill_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownSkill, match="did you mean three"):
        submit("thre")


def test_a_bad_argument_is_refused_and_named() -> None:
    with pytest.raises(services.BadRequest, match="y"):
        submit("one", {"y": 1})

    assert not Task.objects.exists()


def test_a_second_submit_of_a_live_dedupe_key_answers_the_first_task() -> None:
    first = services.submit("one", {}, origin="o", requested_by="p", dedupe_key="k")
    second = services.submit("one", {}, origin="o", requested_by="p", dedupe_key="k")

    assert (first.created, second.created) == (True, False)
    assert second.task_id == first.task_id


def test_a_dedupe_key_is_free_again_when_its_task_has_ended() -> None:
    first = submit(dedupe_key="k")
    finish(first)

    assert submit(dedupe_key="k").id != first.id


def test_a_dependency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(services.UnknownDependency):
        submit(depends_on=[new_id()])


def test_a_chain_in_which_a_component_keeps_causing_itself_is_stopped() -> None:
    with pytest.raises(services.ChainStopped):
        submit(cause=[f"one:{new_id()}"] * 4)


def test_children_wait_for_each_other_and_are_resolved_when_their_turn_comes() -> None:
    parent = submit()
    a = new_id()
    made = children(
        parent,
        Child("a", "one", {}, id=a),
        Child("b", "one", {"x": {"$ref": str(a), "path": "commit"}}, depends_on=[a]),
    )
    assert (made["a"].state, made["b"].state) == (State.READY, State.BLOCKED)
    assert made["a"].dependents == 1

    finish(made["a"], result={"commit": "abc"})
    unblock()

    made["b"].refresh_from_db()
    assert made["b"].state == State.READY
    assert made["b"].resolved == {"x": "abc"}


def test_asking_for_the_same_children_again_answers_the_first_ones() -> None:
    parent = submit()
    first = children(parent, Child("a", "one", {}), Child("b", "one", {}))
    again = children(parent, Child("a", "one", {}), Child("b", "one", {}))

    assert {k: t.id for k, t in first.items()} == {k: t.id for k, t in again.items()}
    assert Task.objects.count() == 3


def test_a_failed_dependency_cancels_what_waits_for_it_but_not_what_always_runs() -> None:
    a, b = new_id(), new_id()
    made = children(
        submit(),
        Child("a", "one", {}, id=a),
        Child("b", "one", {}, depends_on=[a], id=b),
        Child("c", "one", {}, depends_on=[a, b], always_run=True),
    )

    finish(made["a"], State.FAILED)
    unblock()
    unblock()

    states = {key: Task.objects.get(id=task.id) for key, task in made.items()}
    assert states["b"].state == State.CANCELLED
    assert states["b"].reason.startswith("dependency_failed: a")
    assert states["c"].state == State.READY


def test_what_is_cancelled_early_no_longer_counts_for_what_it_waited_for() -> None:
    a, b = new_id(), new_id()
    made = children(
        submit(),
        Child("a", "one", {}, id=a),
        Child("b", "one", {}, depends_on=[a], id=b),
        Child("c", "one", {}, depends_on=[b]),
        Child("d", "one", {}, depends_on=[a, b]),
    )
    assert [made[key].dependents for key in "abcd"] == [3, 2, 0, 0]

    services.cancel([b], actor="person:ada", reason="not this one")

    assert Task.objects.get(id=a).dependents == 1


def test_a_failure_that_is_allowed_lets_the_next_go_on() -> None:
    a = new_id()
    made = children(
        submit(),
        Child("a", "one", {}, id=a, allow_failure=True),
        Child("b", "one", {}, depends_on=[a]),
    )

    finish(made["a"], State.FAILED)
    unblock()

    assert Task.objects.get(id=made["b"].id).state == State.READY


def test_a_task_that_waits_for_one_that_has_ended_is_judged_at_once() -> None:
    first = submit()
    finish(first)

    waiting = submit(depends_on=[first.id])
    unblock()

    waiting.refresh_from_db()
    assert waiting.state == State.READY


def test_cancelling_a_waiting_task_ends_it_with_one_outcome() -> None:
    task = submit()

    assert services.cancel([task.id], actor="person:ada", reason="mistake") == {task.id: True}
    assert services.cancel([task.id], actor="person:ada", reason="again") == {}

    assert Outcome.objects.get(task_id=task.id).state == "cancelled"


def test_a_deadline_that_passed_before_the_start_expires_the_task() -> None:
    task = submit()
    Task.objects.filter(id=task.id).update(deadline="2020-01-01T00:00Z")

    services.reconcile()

    task.refresh_from_db()
    assert task.state == State.EXPIRED


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_no_statement_takes_a_task_out_of_a_terminal_state(state: State) -> None:
    task = submit()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tasks_task DISABLE TRIGGER tasks_legal_move")
        cursor.execute("UPDATE tasks_task SET state = %s WHERE id = %s", [state, task.id])
        cursor.execute("ALTER TABLE tasks_task ENABLE TRIGGER tasks_legal_move")

    for other in set(State) - {state}:
        with pytest.raises(IntegrityError), transaction.atomic():
            Task.objects.filter(id=task.id).update(state=other)


def test_the_database_knows_the_same_moves_as_the_table() -> None:
    task = submit()
    allowed = set()
    for new in set(State) - {State.READY}:
        try:
            with transaction.atomic():
                Task.objects.filter(id=task.id).update(state=new)
                transaction.set_rollback(True)
            allowed.add(new)
        except IntegrityError:
            continue

    assert allowed == MOVES[State.READY]


def test_submitting_takes_a_fixed_number_of_statements() -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            services.submit("one", {}, origin="o", requested_by="p")
        counts.append(len(queries))
        for _ in range(20):
            submit()

    assert counts[0] == counts[1]
