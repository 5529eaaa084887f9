"""The autonomy level, felt by a node at work: real sessions, and Redis away (D-19, F-11)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from autonomy.domain.states import State
from firewall import services as firewall
from firewall.domain.levels import Level
from firewall.models import Approval
from ledger.models import Event
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS_OF_ALL = 3.0
"""Seconds in which the engine and the node look by themselves, without a bell."""

SKILLS = '''
def _same(ctx, args, result):
    seen = ctx.artifacts["out.txt"].read_text()
    return Evidence.of(check("out.txt", expected=args["text"], seen=seen))

@skill(tier=1, name="write", backoff="0s")
def write(ctx: Context, text: str) -> None:
    """Write a file."""
    (ctx.artifacts / "out.txt").write_text(text)

write.verify(_same)

@skill(tier=1, name="planned")
def planned(ctx: Context, text: str) -> None:
    """Write a file, as the plan says."""
    (ctx.artifacts / "out.txt").write_text(text)

@planned.preflight
def _(ctx, text):
    return Plan(go=True, summary="writes a file", diff="+" + text)

planned.verify(_same)

@skill(tier=2, name="overwrite")
def overwrite(ctx: Context, text: str) -> None:
    """Overwrite a file."""
    (ctx.artifacts / "out.txt").write_text(text)

@overwrite.preflight
def _(ctx, text):
    return Plan(go=True, summary="overwrites a file", diff="+" + text)

overwrite.verify(_same)
'''


@pytest.fixture
def running(open_folder: Path, settings: Settings) -> Iterator[Platform]:
    settings.REDIS_URL = ""
    with platform(open_folder, SKILLS) as at_work:
        yield at_work


def turn_to(level: Level) -> None:
    root, _ = User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)
    firewall.set_ceiling(root, level, reason="a test of the dial")


def purposes(task_id: object) -> list[str]:
    """What the sessions of a task were for."""
    began = Event.objects.filter(type="session_started", stream_id=str(task_id)).order_by("id")
    return [event.payload["purpose"] for event in began]


def test_nothing_starts_after_off_and_everything_goes_on_after_it(running: Platform) -> None:
    assert running.ended(running.submit("write", text="before")).state == State.DONE

    turn_to(Level.OFF)
    late = [running.submit(skill, text="late") for skill in ("write", "overwrite")]
    time.sleep(LOOKS_OF_ALL)
    assert [purposes(task) for task in late] == [[], []]

    turn_to(Level.FULL)
    assert {running.ended(task).state for task in late} == {State.DONE}


def test_at_careful_tier_one_is_planned_before_it_runs(running: Platform) -> None:
    turn_to(Level.CAREFUL)

    with_plan, without = running.submit("planned", text="a"), running.submit("write", text="b")

    assert running.ended(with_plan).state == running.ended(without).state == State.DONE
    assert purposes(with_plan) == ["preflight", "run"]
    assert purposes(without) == ["run"]


def test_at_ask_tier_two_waits_for_a_person_whose_word_binds_the_bytes(running: Platform) -> None:
    turn_to(Level.ASK)
    task_id = running.submit("overwrite", text="x")

    assert running.reached(task_id, State.HELD).reason == "approval"
    assert purposes(task_id) == ["preflight"]

    running.decide(task_id, "approved")
    assert running.ended(task_id).state == State.DONE
    assert Approval.objects.get().consumed_at is not None


def test_at_full_tier_two_asks_nobody(running: Platform) -> None:
    task_id = running.submit("overwrite", text="x")

    assert running.ended(task_id).state == State.DONE
    assert not Approval.objects.exists()


def test_at_observe_a_plan_is_made_and_nothing_runs(running: Platform) -> None:
    turn_to(Level.OBSERVE)
    task_id = running.submit("overwrite", text="x")

    assert running.reached(task_id, State.HELD).reason == "approval"
    assert purposes(task_id) == ["preflight"]
