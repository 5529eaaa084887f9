"""What a node at work says of itself adds up to the figures: decisions, waits, slots in use."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.node.services.turn import SlotTime
from ledger.models import NodeDay, Outcome, SkillDay
from ledger.selectors import headline
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.django_db(transaction=True)

SKILLS = '''
@skill(tier=1, name="naps")
def naps(ctx: Context, seconds: float) -> None:
    """Sleep for a while."""
    time.sleep(seconds)
'''


@pytest.fixture
def at_work() -> Iterator[Platform]:
    """A node with two slots, in a folder that sessions can enter."""
    with tempfile.TemporaryDirectory(prefix="autonomy-test-") as name:
        Path(name).chmod(0o755)
        with platform(Path(name), SKILLS, slots=2) as running:
            yield running


@pytest.mark.timeout(60)
def test_a_task_leaves_its_waits_and_the_time_in_which_it_used_a_slot(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("naps", seconds=2.0))
    give_up = time.monotonic() + 30
    while not (day := NodeDay.objects.filter(busy_seconds__gt=1).first()):
        assert time.monotonic() < give_up, "no beat told of the slot that was in use"
        time.sleep(0.1)

    outcome = Outcome.objects.get(task_id=task.id)
    assert outcome.decision_seconds is not None
    assert 0 < outcome.decision_seconds <= outcome.queue_seconds < 30
    assert 2 <= day.busy_seconds <= day.slot_seconds == pytest.approx(2 * day.alive_seconds)
    assert (day.ended, SkillDay.objects.get().unverified) == (1, 1)
    found = headline()
    assert found.decision_p50_seconds is not None
    assert found.node_utilisation is not None
    assert 0 < found.node_utilisation <= 1


def test_slots_in_use_are_added_up_from_round_to_round() -> None:
    slots = SlotTime(since=10.0)

    slots.count(2, now=11.5)
    slots.count(0, now=20.0)
    slots.count(1, now=21.0)

    assert slots.used == 4.0
