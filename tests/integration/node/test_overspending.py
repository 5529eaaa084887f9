"""A session that asks for more than it may spend ends for that, and no other (C-15, C-16)."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from autonomy.domain.states import State
from autonomy.tasks import services
from autonomy.tasks.models import Session
from ledger.models import Outcome
from tests.support.platform import Platform, platform

SKILLS = '''
@skill(tier=1, name="spend", timeout="60s", retries=0, tokens=1000, dollars="0.05")
def spend(ctx: Context, until: str = "") -> str:
    """Wait until a file is there."""
    while not (until and Path(until).exists()):
        time.sleep(0.05)
    return "had enough"
'''

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS) as running:
        yield running


def session_of(task_id: UUID) -> Session:
    return Session.objects.get(task_id=task_id)


@pytest.mark.parametrize(
    ("tokens", "dollars", "limit"), [(1001, "0", "tokens"), (5, "0.06", "dollars")]
)
def test_crossing_a_limit_ends_that_session_and_its_neighbour_finishes(
    at_work: Platform, open_folder: Path, tokens: int, dollars: str, limit: str
) -> None:
    enough = open_folder / "enough"
    greedy, modest = (at_work.submit("spend", until=str(enough)) for _ in range(2))
    for task_id in (greedy, modest):
        at_work.reached(task_id, State.RUNNING)
        paid = session_of(task_id)
        services.spend(paid.id, paid.epoch, tokens=10, dollars=Decimal("0.01"))

    crossing = session_of(greedy)
    with pytest.raises(services.LimitReached):
        services.spend(crossing.id, crossing.epoch, tokens=tokens, dollars=Decimal(dollars))
    ended = at_work.ended(greedy)
    enough.touch(mode=0o644)
    finished = at_work.ended(modest)

    assert (ended.state, session_of(greedy).ended) == (State.FAILED, "resource")
    assert ended.reason.startswith(f"resource ({limit}): it may not spend more {limit}")
    assert (finished.state, finished.reason) == (State.DONE, "")
    for task_id in (greedy, modest):
        outcome = Outcome.objects.get(task_id=task_id)
        assert (outcome.tokens, outcome.dollars) == (10, Decimal("0.01"))


def test_a_session_keeps_the_limits_it_was_begun_with(at_work: Platform) -> None:
    task = at_work.reached(at_work.submit("spend"), State.RUNNING)

    limits = session_of(task.id).limits
    assert (limits["tokens"], limits["dollars"]) == (1000, "0.050000")
    assert limits["wall_seconds"] == 60
