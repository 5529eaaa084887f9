"""No data ends the loop: what cannot be used is gone around, with a stated reason."""

import math
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.reasons import Reason
from autonomy.domain.states import State
from autonomy.engine.models import Leadership, Weights
from autonomy.engine.selectors import explanation_of, in_force
from autonomy.engine.services import leadership
from autonomy.engine.services.loop import Engine
from autonomy.systemmap.models import Component, Node
from autonomy.tasks.models import Task
from ledger.domain.ids import new_id
from ledger.models import Event, NodeScore
from tests.support.tasks import declare_skills, join, submit

pytestmark = pytest.mark.django_db

GOOD = {**DEFAULT_WEIGHTS.to_json(), "waiting": 0.75}


@pytest.fixture(autouse=True)
def _map() -> None:
    join(slots=20)
    declare_skills(one=1, two=2)


@pytest.fixture
def engine() -> Engine:
    return Engine(lambda _: None)


def went_around() -> list[str]:
    """What the ledger says the engine goes around."""
    return [e.payload["what"] for e in Event.objects.filter(type="engine_went_around")]


def written(**columns: Any) -> Task:
    """A ready task into whose row someone wrote something."""
    task = submit()
    Task.objects.filter(pk=task.pk).update(**columns)
    return task


def state(task: Task) -> str:
    return Task.objects.get(pk=task.pk).state


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        {"short": 3},
        {**GOOD, "waiting": -1},
        {**GOOD, "batch": 10**300},
        {**GOOD, "half_life_seconds": "long"},
        {**GOOD, "sorting": 1},
    ],
    ids=str,
)
def test_weights_that_cannot_be_used_leave_the_last_good_ones_in_force(
    engine: Engine, values: Any
) -> None:
    good = Weights.objects.create(values=GOOD, set_by="person:ada")
    bad = Weights.objects.create(values=values, set_by="person:ben")
    task = submit()

    engine.work()

    assert in_force()[:2] == (good.version, in_force().weights)
    assert in_force().weights.waiting == 0.75
    assert state(task) == State.DISPATCHED
    assert went_around() == [f"weights {bad.version}"]


def test_a_number_that_only_json_can_hold_is_no_weight(engine: Engine) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engine_weights (workspace_id, values, set_by, trust)"
            " VALUES (%s, jsonb_build_object('short', 10::numeric ^ 5000), 'person:ben', '{}')",
            [new_id()],
        )
    task = submit()

    engine.work()

    assert in_force().version == 0
    assert state(task) == State.DISPATCHED


def test_trouble_is_told_once_and_so_is_its_end(engine: Engine) -> None:
    bad = Weights.objects.create(values={}, set_by="person:ben")
    for _ in range(3):
        engine.work()
    assert went_around() == [f"weights {bad.version}"]

    Weights.objects.create(values=GOOD, set_by="person:ada")
    engine.work()

    assert Event.objects.filter(type="engine_trouble_over").count() == 1


def test_explain_says_which_weights_are_refused() -> None:
    Weights.objects.create(values={}, set_by="person:ben")
    join(slots=0)
    task = submit()

    assert "of the weights is not used: dependents is missing" in explanation_of(task.pk).words


@pytest.mark.parametrize(
    "estimate", [math.nan, -5.0, math.inf, -math.inf, 365.0 * 86_400, 1e300, 0.0]
)
def test_no_estimate_keeps_other_tasks_from_running(engine: Engine, estimate: float) -> None:
    strange, sane = written(estimate_seconds=estimate), submit()

    engine.work()

    assert (state(strange), state(sane)) == (State.DISPATCHED, State.DISPATCHED)


def test_estimates_that_are_no_numbers_do_not_push_to_the_front(engine: Engine) -> None:
    join(slots=1)
    written(estimate_seconds=math.nan, priority_hint=math.nan)
    sane = submit()

    engine.work()

    assert state(sane) == State.DISPATCHED


@pytest.mark.parametrize("labels", [7, "gpu", {"a": 1}, [1]], ids=str)
def test_a_damaged_declaration_sets_its_tasks_aside_and_no_others(
    engine: Engine, labels: object
) -> None:
    skill = Component.objects.get(name="two")
    skill.declaration = {**skill.declaration, "labels": labels}
    skill.save()
    damaged, sane = submit("two"), submit()

    engine.work()

    assert (state(damaged), state(sane)) == (State.PREFLIGHT, State.DISPATCHED)
    assert went_around() == [f"task {damaged.id}"]
    told = explanation_of(damaged.id)
    assert told.reason is Reason.QUARANTINE
    assert "the declaration of two is damaged: labels are" in told.words


def test_a_record_that_is_no_number_counts_as_none(engine: Engine) -> None:
    NodeScore.objects.create(
        node="n1", skill="one", value_sum=math.nan, success_sum=math.inf, weight=-1
    )
    task = submit()

    engine.work()

    assert state(task) == State.DISPATCHED


@pytest.mark.parametrize("versions", [[], "one", 7, {"one": 7}], ids=str)
def test_a_node_that_says_nonsense_about_itself_gets_nothing(
    engine: Engine, versions: object
) -> None:
    Node.objects.update(versions=versions)
    task = submit()

    engine.work()

    assert explanation_of(task.id).reason is Reason.NO_CAPABLE_NODE


def test_tasks_wait_with_a_reason_while_all_nodes_are_gone_and_go_on_afterwards(
    engine: Engine,
) -> None:
    Node.objects.update(incarnation=None)
    task = submit()
    engine.work()
    assert explanation_of(task.id).reason is Reason.TIER_POOL_EMPTY

    join()
    declare_skills(one=1)
    engine.work()

    assert state(task) == State.DISPATCHED


def test_a_clock_that_went_back_takes_nothing_from_a_task_and_no_lead_for_long(
    engine: Engine,
) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    Leadership.objects.create(name="engine", holder=new_id(), until=in_an_hour)
    task = written(ready_at=in_an_hour, created_at=in_an_hour)
    Node.objects.update(seen_at=in_an_hour)

    engine.work()

    assert Leadership.objects.get().holder == engine.id
    assert state(task) == State.DISPATCHED


def test_a_lease_of_the_usual_length_is_left_to_its_holder() -> None:
    assert leadership.lead(new_id())
    assert not leadership.lead(new_id())


def test_a_part_that_fails_is_told_and_put_off_and_the_others_go_on(engine: Engine) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engine_pass RENAME COLUMN decisions TO elsewhere")
    first = submit()
    after = submit(depends_on=[first.id])
    Task.objects.filter(pk=after.pk).update(waiting_on=0)

    engine.work()

    assert state(first) == State.READY
    assert state(after) == State.CANCELLED  # its dependency did not end well: still judged
    assert went_around() == ["its part dispatch"]
    assert "elsewhere" not in engine.parts.troubles["its part dispatch"]


def test_a_part_that_failed_is_tried_again_after_its_pause(engine: Engine) -> None:
    now = 100.0
    engine.parts.clock = lambda: now
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engine_pass RENAME COLUMN decisions TO elsewhere")
    task = submit()
    engine.work()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engine_pass RENAME COLUMN elsewhere TO decisions")
    engine.work()
    assert state(task) == State.READY

    now += 1.5
    engine.work()

    assert state(task) == State.DISPATCHED
    assert Event.objects.filter(type="engine_trouble_over").count() == 1


def test_two_engines_give_a_task_to_one_node_once() -> None:
    engines = [Engine(lambda _: None), Engine(lambda _: None)]
    tasks = [submit() for _ in range(5)]

    for _ in range(2):
        for engine in engines:
            engine.work()

    given = Event.objects.filter(type="task_dispatched").values_list("stream_id", flat=True)
    assert sorted(given) == sorted(str(task.id) for task in tasks)
