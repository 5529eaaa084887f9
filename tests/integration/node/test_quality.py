"""What worked has to be good enough as well: the bar, and how it moves (D-16)."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from autonomy.domain.states import State
from autonomy.engine.services.loop import Engine
from autonomy.tasks.models import QualityBar
from autonomy.tasks.services import quality_bar, review_quality
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from tests.support.platform import platform

SKILLS = '''
@skill(tier=1, name="draft", retries=0, backoff="0s")
def draft(ctx: Context, quality: float) -> float:
    """Write something of a certain quality."""
    return quality

@draft.verify
def _(ctx, args, result):
    found = Evidence.of(check("draft", expected=args["quality"], seen=result))
    return found.model_copy(update={"quality": args["quality"]})
'''


def outcome(quality: float | None, *, minutes_ago: float = 5, canary: bool = False) -> None:
    Outcome.objects.create(
        task_id=new_id(), epoch=1, skill="draft", tier=1, state="done", verdict="verified",
        quality=quality, canary=canary, at=timezone.now() - timedelta(minutes=minutes_ago),
    )  # fmt: skip


def an_hour_later() -> bool:
    QualityBar.objects.update(reviewed_at=timezone.now() - timedelta(minutes=61))
    return review_quality()


@pytest.mark.django_db(transaction=True)
def test_a_verified_result_under_the_bar_is_refuted_for_its_quality(open_folder: Path) -> None:
    with platform(open_folder, SKILLS) as running:
        good = running.ended(running.submit("draft", quality=0.7))
        poor = running.ended(running.submit("draft", quality=0.69))

    assert (good.state, poor.state) == (State.DONE, State.FAILED)
    assert poor.reason.startswith("refuted: quality 0.69 is under the bar of 0.70")
    kept = Outcome.objects.get(task_id=poor.id)
    assert (kept.verdict, kept.quality, kept.error_class) == ("refuted", 0.69, "verification")


@pytest.mark.django_db
def test_a_good_hour_raises_the_bar_and_a_bad_one_lowers_it() -> None:
    assert not review_quality()
    outcome(0.90)
    outcome(0.88)

    assert an_hour_later()
    assert quality_bar() == 72
    told = Event.objects.get(type="quality_bar_moved")
    assert told.payload == {"bar": 0.72, "was": 0.7, "mean": 0.89, "results": 2}

    for _ in range(8):
        outcome(0.30)
    an_hour_later()
    assert quality_bar() == 70


@pytest.mark.django_db
def test_it_is_reviewed_once_an_hour_however_often_it_is_asked() -> None:
    review_quality()
    outcome(0.95)
    assert an_hour_later()

    assert [review_quality() for _ in range(3)] == [False] * 3
    assert quality_bar() == 72


@pytest.mark.django_db
def test_old_results_canaries_and_those_without_quality_say_nothing() -> None:
    review_quality()
    outcome(0.95, minutes_ago=61)
    outcome(0.95, canary=True)
    outcome(None)

    assert an_hour_later()
    assert quality_bar() == 70


@pytest.mark.django_db
def test_a_clock_that_went_back_does_not_freeze_the_bar() -> None:
    review_quality()
    QualityBar.objects.update(reviewed_at=timezone.now() + timedelta(days=1))

    assert review_quality()


@pytest.mark.django_db
def test_the_engine_reviews_it() -> None:
    review_quality()
    outcome(0.95)
    QualityBar.objects.update(reviewed_at=timezone.now() - timedelta(minutes=61))

    Engine(lambda _: None).work()

    assert quality_bar() == 72
