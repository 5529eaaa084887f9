"""Predictions are made, checked and learned from, and the level follows (D-18, D-19)."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.states import State
from autonomy.domain.trust import DEFAULT_RULES, Rules
from autonomy.engine.models import Pass, Prediction, Trust, Weights
from autonomy.engine.selectors.gauge import weighed
from autonomy.engine.services import passes, predicting
from autonomy.engine.services.dispatch import dispatch
from autonomy.engine.services.loop import Engine
from autonomy.engine.services.predicting import MOST_OPEN, check_due
from autonomy.engine.services.thinking import Mind, weigh
from autonomy.systemmap import services as systemmap
from autonomy.systemmap.models import Node
from autonomy.tasks import services
from autonomy.tasks.models import Task
from firewall import services as firewall
from firewall.domain.levels import Level
from firewall.models import Dial
from firewall.selectors import level
from ledger.models import Event, SkillEstimate
from tests.support.tasks import claimed, declare_skills, ending, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _map() -> None:
    join(slots=500)
    declare_skills(one=1)


def now_due(**only: Any) -> None:
    """Let the time of the predictions come."""
    passed = timedelta(minutes=10)
    Dial.objects.update(changed_at=F("changed_at") - timedelta(days=1))
    Prediction.objects.filter(**only).update(by=F("by") - passed, made_at=F("made_at") - passed)


def trust(**fields: Any) -> Trust:
    return Trust.objects.update_or_create(pk=Trust.ONLY, defaults=fields)[0]


def ended(task: Task, state: State = State.DONE) -> None:
    """Let a dispatched task run and end."""
    task.refresh_from_db()
    node = Node.objects.get(name=task.node)
    assert node.incarnation is not None
    taken = claimed(task, node.incarnation)
    end = services.SessionEnd(ended="ok")
    assert services.await_evidence(
        taken.task_id, taken.epoch, taken.session_id, result={}, session=end
    )
    services.settle([ending(taken, state, verdict="verified" if state is State.DONE else "")])


def test_a_pass_predicts_when_one_of_its_tasks_will_be_done() -> None:
    tasks = [submit() for _ in range(30)]

    dispatch({})

    made = Prediction.objects.get()
    assert made.kind == "task_done"
    assert made.subject in {str(task.id) for task in tasks}
    assert made.mark == "1"
    assert timedelta(minutes=1) < made.by - made.made_at < timedelta(minutes=10)


def test_one_that_came_true_adds_to_confidence_and_is_no_event() -> None:
    trust(confidence=500_000)
    task = submit()
    dispatch({})
    ended(task)
    Task.objects.update(ended_at=F("ended_at") - timedelta(minutes=11))
    now_due()

    assert check_due(DEFAULT_RULES) == 1

    assert Prediction.objects.get().came_true is True
    kept = Trust.objects.get()
    assert (kept.confidence, kept.checked, kept.right) == (510_000, 1, 1)
    assert not Event.objects.filter(type="prediction_failed").exists()


def test_one_that_did_not_takes_from_it_and_opens_an_investigation() -> None:
    trust(confidence=500_000)
    task = submit()
    dispatch({})
    now_due()

    check_due(DEFAULT_RULES)

    assert Trust.objects.get().confidence == 450_000
    told = Event.objects.get(type="prediction_failed")
    assert (told.stream, told.stream_id) == ("task", str(task.id))
    assert told.payload["expected"] == f"task {task.id} is done"
    assert told.payload["state"] == "dispatched"


def test_what_a_person_ended_counts_neither_way() -> None:
    trust(confidence=500_000)
    task = submit()
    dispatch({})
    services.cancel([task.id], actor="person:ada", reason="changed my mind")
    now_due()

    check_due(DEFAULT_RULES)

    assert Prediction.objects.get().came_true is None
    assert Trust.objects.filter(confidence=500_000, checked=0).exists()


def test_what_is_not_due_is_left() -> None:
    submit()
    dispatch({})

    assert check_due(DEFAULT_RULES) == 0


def test_the_weights_of_a_prediction_are_those_of_the_rules() -> None:
    trust(confidence=500_000)
    submit()
    dispatch({})
    now_due()

    check_due(Rules(gain=1, loss=7))

    assert Trust.objects.get().confidence == 499_993


def test_checking_many_takes_as_many_statements_as_checking_one() -> None:
    counts = []
    trust()
    for n in (1, 60):
        for _ in range(n):
            submit()
            dispatch({})
        now_due(checked_at=None)
        with CaptureQueriesContext(connection) as queries:
            assert check_due(DEFAULT_RULES) == n
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_no_more_is_predicted_while_too_much_waits_to_be_checked() -> None:
    by = timezone.now() + timedelta(hours=1)
    Prediction.objects.bulk_create(Prediction(kind="task_done", by=by) for _ in range(MOST_OPEN))
    task = submit()

    dispatch({})

    task.refresh_from_db()
    assert task.state == State.DISPATCHED
    assert Prediction.objects.count() == MOST_OPEN


def test_nodes_are_predicted_to_live_and_a_dead_one_is_noticed() -> None:
    mind = Mind()
    mind.predict()
    mind.predict()
    assert Prediction.objects.get().kind == "node_alive"
    Node.objects.update(seen_at=F("seen_at") - timedelta(hours=1))
    now_due()

    check_due(DEFAULT_RULES)

    told = Event.objects.get(type="prediction_failed")
    assert (told.stream, told.stream_id) == ("node", "n1")
    assert told.payload["silent_seconds"] > 3000
    assert told.payload["restarted"] is False


def test_a_node_that_left_in_order_disappoints_nobody() -> None:
    Mind().predict()
    node = Node.objects.get()
    assert node.incarnation is not None
    systemmap.leave("n1", node.incarnation)
    now_due()

    check_due(DEFAULT_RULES)

    assert Prediction.objects.get().came_true is None


def test_a_queue_is_predicted_once_it_was_counted_twice() -> None:
    mind = Mind(nodes_due=2**62)
    mind.predict()
    for _ in range(100):
        submit()
    mind.counted_at -= 61_000_000

    mind.predict()

    made = Prediction.objects.get(kind="queue_at_most")
    assert 200 <= made.bound <= 400


def test_low_confidence_lowers_the_level_with_its_numbers_and_nothing_raises_it_at_once() -> None:
    trust(confidence=450_000, checked=50, right=30)

    weigh(DEFAULT_RULES, observed=True)

    assert level() is Level.ASK
    told = Event.objects.get(type="autonomy_level_changed")
    assert told.payload["reason"] == "confidence is 45.0 %, under 50.0 %"
    assert told.payload["evidence"]["confidence"] == 0.45
    assert told.payload["evidence"]["break_even"] == 0.8333
    assert told.payload["evidence"]["predictions_checked"] == 50

    trust(confidence=1_000_000)
    weigh(DEFAULT_RULES, observed=True)
    assert level() is Level.ASK


def test_it_rises_a_step_once_the_upper_bound_was_held() -> None:
    trust(confidence=450_000, checked=50)
    weigh(DEFAULT_RULES, observed=True)
    trust(confidence=1_000_000)
    weigh(DEFAULT_RULES, observed=True)
    began = Trust.objects.get().earned_since
    assert began is not None

    trust(earned_since=began - DEFAULT_RULES.hold_seconds * 1_000_000)
    weigh(DEFAULT_RULES, observed=True)

    assert level() is Level.CAREFUL
    assert Trust.objects.get().earned_since is None


def test_too_few_predictions_say_nothing_yet() -> None:
    trust(confidence=0, checked=DEFAULT_RULES.least_checked - 1)

    weigh(DEFAULT_RULES, observed=True)

    assert level() is Level.FULL


def test_a_world_that_was_not_seen_for_three_loops_lowers_the_level() -> None:
    trust(observed_at=timezone.now() - timedelta(seconds=91))

    weigh(DEFAULT_RULES, observed=False)

    assert level() is Level.ASK
    assert "last seen whole 91 s ago" in Dial.objects.get().chosen_reason


def test_seeing_the_world_makes_it_fresh_after_however_long() -> None:
    trust(observed_at=timezone.now() - timedelta(days=1))

    weigh(DEFAULT_RULES, observed=True)

    assert level() is Level.FULL
    assert weighed().gauge.stale_seconds < 5


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [(9, 3, Level.FULL), (5, 7, Level.CAREFUL), (1, 11, Level.ASK), (0, 9, Level.FULL)],
)
def test_when_most_of_what_ends_fails_less_runs_alone(good: int, bad: int, found: Level) -> None:
    SkillEstimate.objects.create(skill="one", success_sum=good, weight=good + bad + 0.5)

    weigh(DEFAULT_RULES, observed=True)

    assert level() is found


def test_the_engine_does_all_of_it_while_it_turns() -> None:
    trust(confidence=450_000, checked=50)
    submit()
    engine = Engine(lambda _: None)

    engine.work()

    assert level() is Level.ASK
    assert engine.troubles.now == {}
    assert Prediction.objects.filter(kind="node_alive").exists()
    assert Pass.objects.get().context == {"waiting": 1, "running": 0, "critical": 0}


def test_an_engine_whose_nodes_are_full_still_sees_the_world() -> None:
    join(slots=0)
    trust(observed_at=timezone.now() - timedelta(days=1))

    Engine(lambda _: None).work()

    assert level() is Level.FULL
    assert weighed().gauge.stale_seconds < 5


def test_the_engine_takes_its_rules_from_the_weights() -> None:
    rules = {"least_checked": 1000}
    Weights.objects.create(values=DEFAULT_WEIGHTS.to_json(), trust=rules, set_by="person:ada")
    trust(confidence=0, checked=999)

    Engine(lambda _: None).work()

    assert level() is Level.FULL


def test_a_turn_of_the_row_by_hand_is_recorded_by_the_engine() -> None:
    Dial.objects.update(ceiling=0)

    Engine(lambda _: None).work()

    assert Event.objects.get(type="autonomy_level_changed").actor == "database"


def test_a_ceiling_of_a_person_stays_whatever_the_evidence_says() -> None:
    root = User.objects.create_superuser("root")
    firewall.set_ceiling(root, Level.OBSERVE, reason="audit")
    trust(confidence=1_000_000, checked=500)

    Engine(lambda _: None).work()

    assert level() is Level.OBSERVE


def test_what_is_old_is_dropped_and_what_is_open_stays() -> None:
    old = timezone.now() - timedelta(days=31)
    Prediction.objects.create(kind="task_done", by=old, checked_at=old)
    Prediction.objects.create(kind="task_done", by=old)
    Pass.objects.create(weights_version=0, world={}, world_hash="", decisions=[], at=old)
    Pass.objects.create(weights_version=0, world={}, world_hash="", decisions=[])

    assert predicting.forget_old() == passes.forget_old() == 1

    assert Prediction.objects.count() == Pass.objects.count() == 1


def test_no_more_passes_are_kept_than_there_is_room_for() -> None:
    for _ in range(5):
        Pass.objects.create(weights_version=0, world={}, world_hash="", decisions=[])
    newest = list(Pass.objects.order_by("-id").values_list("id", flat=True)[:3])

    assert passes.forget_old(most=3) == 2

    assert list(Pass.objects.order_by("-id").values_list("id", flat=True)) == newest
