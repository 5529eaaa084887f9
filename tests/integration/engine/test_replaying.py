"""Thousands of stored dispatches come out the same; a changed byte does not go unseen (D-22)."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.priority import Weights as Values
from autonomy.domain.states import State
from autonomy.engine.models import Pass, Weights
from autonomy.engine.selectors.replaying import replay
from autonomy.engine.services.dispatch import dispatch
from autonomy.engine.services.weighting import WeightsRefused, set_weights
from autonomy.systemmap.models import Node
from autonomy.tasks.models import Task
from ledger.domain.ids import new_id
from ledger.models import Event, NodeScore, Outcome
from tests.support.tasks import declare_skills, join

pytestmark = pytest.mark.django_db

NODES = ("n1", "n2", "n3")


@pytest.fixture(autouse=True)
def _map() -> None:
    for name in NODES:
        join(name, slots=8)
    declare_skills(one=1, two=2)
    loaded = Node.objects.get(name="n1").versions
    Node.objects.update(versions=loaded)
    for i, name in enumerate(NODES):
        NodeScore.objects.create(
            node=name, skill="one", value_sum=3.3 + i, success_sum=4.1 + i / 3, weight=5.7
        )


def waiting(count: int, round_: int) -> None:
    """Tasks of three origins, with odd numbers in them."""
    made = (
        Task(
            run_id=new_id(), skill="one", tier=1, state=State.READY, origin=f"o{i % 3}",
            requested_by="service:x", estimate_seconds=0.1 + i * 1.7, max_attempts=3,
            dependents=i % 5, critical_path=i % 7 == 0, priority_hint=(i - 9) / 3,
            ready_at=timezone.now(), parent_id=new_id() if round_ % 2 else None,
        )
        for i in range(count)
    )  # fmt: skip
    Task.objects.bulk_create(made, batch_size=1000)


def passes(count: int, each: int = 24) -> int:
    """Passes over more tasks than there is room for; how many dispatches there were."""
    sent = 0
    owed: dict[str, int] = {}
    for round_ in range(count):
        waiting(each + 6, round_)
        Node.objects.update(seen_at=timezone.now())  # they ping, however long this takes
        done = dispatch(owed)
        owed = dict(done.owed)
        sent += done.count
        given = Task.objects.filter(state=State.DISPATCHED)
        given.update(state=State.CANCELLED, ended_at=timezone.now())
    return sent


def test_thousands_of_dispatches_come_out_the_same() -> None:
    sent = passes(100)
    assert sent > 2000

    found = replay()

    assert (found.passes, found.dispatches, found.equal) == (100, sent, 100)
    assert found.ok
    assert found.different == []


def test_a_changed_byte_names_its_pass() -> None:
    passes(5)
    victim = Pass.objects.order_by("id")[2]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE engine_pass SET decisions ="
            " replace(decisions::text, 'likely to succeed', 'likely to succeeD')::jsonb"
            " WHERE id = %s",
            [victim.id],
        )

    found = replay()

    assert [one.id for one in found.different] == [victim.id]
    assert found.different[0].problems == (
        "its record is not the one that was hashed",
        "it decides the same for other reasons",
    )
    assert not found.ok


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"owed": {"o1": 4}}, "its record is not the one that was hashed"),
        ({"digest": ""}, "the ledger knows it by another hash"),
        ({"weights_version": 77}, "its weights are gone or damaged"),
        ({"world": 7}, "its world cannot be read"),
    ],
)
def test_whatever_is_changed_is_told(columns: dict[str, Any], problem: str) -> None:
    passes(2)
    Pass.objects.filter(pk=Pass.objects.latest("id").pk).update(**columns)

    found = replay()

    assert len(found.different) == 1
    assert any(told.startswith(problem) for told in found.different[0].problems), found.different


def test_changed_weights_are_told_by_the_passes_that_were_made_with_them() -> None:
    row = Weights.objects.create(values=DEFAULT_WEIGHTS.to_json(), set_by="person:ada")
    passes(2)
    Weights.objects.filter(pk=row.pk).update(values={**row.values, "waiting": 0.51})

    assert len(replay().different) == 2


def test_the_event_of_each_dispatch_binds_the_record() -> None:
    passes(1)

    digests = {e.payload["digest"] for e in Event.objects.filter(type="task_dispatched")}
    assert digests == {Pass.objects.get().digest}


def test_only_what_was_asked_for_is_replayed() -> None:
    passes(4)

    assert replay(limit=3).passes == 3
    assert replay(since=timezone.now()).passes == 0


def test_progress_is_told() -> None:
    passes(3)
    told: list[tuple[int, int]] = []

    replay(progress=lambda done, all_: told.append((done, all_)))

    assert told == [(3, 3)]


def test_other_weights_are_compared_with_what_became_of_the_choices() -> None:
    passes(3)
    for made in Pass.objects.all():
        for one in made.decisions:
            Outcome.objects.create(
                task_id=one["task"], epoch=1, skill="one", node=one["node"], tier=1, state="done",
                verdict="verified" if one["node"] == "n3" else "refuted", run_seconds=2.0,
            )  # fmt: skip

    same, other = replay(other=DEFAULT_WEIGHTS), replay(other=Values(short=0.0, crowding=9.0))

    assert same.what_if
    assert other.what_if
    assert same.what_if.alike.decisions == same.dispatches
    assert same.what_if.alike.ended == same.dispatches
    assert 0 < same.what_if.alike.verified < same.dispatches
    moved, later = other.what_if.moved, other.what_if.later
    assert moved.decisions + later.decisions > 0
    assert moved.decisions + later.decisions + other.what_if.alike.decisions == other.dispatches


def test_a_pass_keeps_a_bounded_number_of_bytes() -> None:
    """Measured: see docs/decisions-explained.md."""
    waiting(2500, 0)
    dispatch({})

    assert replay().bytes_per_pass < 24 * 2_000


def test_weights_are_set_by_who_administers_with_a_reason_and_told() -> None:
    root = User.objects.create_superuser("root")

    made = set_weights(root, {"waiting": 0.75, "trust": {"loss": 40_000}}, reason="try it")

    assert made.values == {**DEFAULT_WEIGHTS.to_json(), "waiting": 0.75}
    assert made.trust["loss"] == 40_000
    told = Event.objects.get(type="weights_set")
    assert told.payload["changed"]["waiting"] == [0.5, 0.75]
    assert set(told.payload["changed"]) == {"waiting", "trust"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"waiting": -1}, "try it"),
        ({"wating": 1}, "try it"),
        ([], "try it"),
        ({"trust": 7}, "try it"),
        ({"trust": {"gain": 0}}, "try it"),
        ({"waiting": 1}, "  "),
    ],
)
def test_weights_that_make_no_sense_are_not_set(values: Any, reason: str) -> None:
    root = User.objects.create_superuser("root")

    with pytest.raises(WeightsRefused):
        set_weights(root, values, reason=reason)
    assert not Weights.objects.exists()


def test_nobody_else_sets_weights() -> None:
    with pytest.raises(WeightsRefused, match="administer"):
        set_weights(User.objects.create_user("olga"), {"waiting": 1}, reason="try it")
