"""Nodes that settle, beat and sweep at once add up to what happened and never wait in a ring."""

import random
from collections.abc import Callable
from uuid import UUID

import pytest

from autonomy.domain.states import State
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services
from autonomy.tasks.models import Task
from ledger.models import NodeDay, Outcome, SkillDay
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

NODES = 8
EACH = 12
SKILLS = ("one", "two", "three")


def _at_work(node: str, incarnation: UUID, taken: list[services.Ending]) -> Callable[[], None]:
    """A node that settles what it holds in batches of any size, and beats between them."""

    def act() -> None:
        chance = random.Random(node)  # noqa: S311
        left = list(taken)
        chance.shuffle(left)
        while left:
            count = chance.randint(1, 4)
            batch, left = left[:count], left[count:]
            assert len(services.settle(batch)) == len(batch)
            systemmap.beat(node, incarnation, busy_seconds=0.01)
            services.reconcile()

    return act


@pytest.mark.timeout(120)
def test_eight_nodes_that_settle_at_once_add_up() -> None:
    declare_skills(**dict.fromkeys(SKILLS, 1))
    chance, acts = random.Random(1), []  # noqa: S311
    for number in range(NODES):
        node = f"n{number}"
        incarnation = join(node, slots=EACH)
        taken = [
            claimed(dispatched(submit(chance.choice(SKILLS)), node), incarnation, node)
            for _ in range(EACH)
        ]
        endings = [
            ending(t, chance.choice([State.DONE, State.FAILED]), verdict="verified", run_seconds=1)
            for t in taken
        ]
        acts.append(_at_work(node, incarnation, endings))

    Task.objects.filter(state=State.RUNNING).update(state=State.VERIFYING)
    at_once(*acts, limit_seconds=60)

    assert Outcome.objects.count() == NODES * EACH
    assert not Task.objects.exclude(state__in=[State.DONE, State.FAILED]).exists()
    assert sum(SkillDay.objects.values_list("ended", flat=True)) == NODES * EACH
    assert sorted(NodeDay.objects.values_list("ended", flat=True)) == [EACH] * NODES
    assert all(sum(day.runs) == day.ended for day in SkillDay.objects.all())
