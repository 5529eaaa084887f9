"""Writers of one graph take turns: none waits for another that waits for it."""

from uuid import UUID

import pytest

from autonomy.domain.states import State
from autonomy.tasks import services
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def test_ending_cancelling_and_submitting_in_one_chain_do_not_wait_in_a_ring() -> None:
    declare_skills(one=1)
    node = join(slots=ROUNDS)
    for _ in range(ROUNDS):
        first = submit()
        second = submit(depends_on=[first.id])
        taken = claimed(dispatched(first), node)

        def settle(taken: services.Claimed = taken) -> object:
            return services.settle([ending(taken, State.FAILED)])

        def cancel(task_id: UUID = second.id) -> object:
            return services.cancel([task_id], actor="person:ada", reason="changed")

        def add(task_id: UUID = second.id) -> object:
            return [submit(depends_on=[task_id]) for _ in range(3)]

        at_once(settle, cancel, add)
