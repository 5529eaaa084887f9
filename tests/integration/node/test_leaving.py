"""A node that is told to stop finishes what it can, and hands back the rest without blame."""

import time
from pathlib import Path

import pytest
from django.db import connection

from autonomy.domain.states import State
from autonomy.node.services import supervisor
from autonomy.tasks.models import Session, Task
from autonomy.tasks.services import cancel
from ledger.models import Event
from tests.support.platform import PATIENCE, platform

pytestmark = pytest.mark.django_db(transaction=True)

SKILLS = """
import signal

@skill(tier=1, name="sleep", timeout="60s", retries=0)
def sleep(ctx: Context, seconds: float) -> None:
    time.sleep(seconds)

@sleep.verify
def _(ctx, args, result):
    return Evidence.of(check("slept", expected=True, seen=True))

@skill(tier=1, name="deaf", timeout="60s", scope=Scope(write=("{world}",)))
def deaf(ctx: Context, world: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        Path(world, "beat").touch()
        time.sleep(0.02)
"""


def test_what_ends_soon_is_finished_first(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE_SECONDS", PATIENCE)

    with platform(open_folder, SKILLS) as running:
        task_id = running.submit("sleep", seconds=0.5)
        running.reached(task_id, State.RUNNING)

    task = Task.objects.get(id=task_id)
    assert (task.state, task.attempt) == (State.DONE, 1)


def test_what_takes_longer_is_handed_back_and_no_attempt_is_counted(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE_SECONDS", 0.1)

    with platform(open_folder, SKILLS) as running:
        task_id = running.submit("sleep", seconds=60)
        running.reached(task_id, State.RUNNING)

    task = Task.objects.get(id=task_id)
    assert (task.state, task.attempt, task.node) == (State.READY, 0, "")
    assert (task.lease_until, task.reason) == (
        None,
        "handed back by n1, which was told to stop",
    )
    assert [s.ended for s in Session.objects.filter(task=task)] == ["released"]
    last = Event.objects.filter(stream_id=str(task_id)).order_by("id").last()
    assert last is not None
    assert (last.type, last.payload["from"]) == ("task_ready", "running")

    with platform(open_folder, open_folder / "skills") as running:
        assert running.reached(task_id, State.RUNNING).attempt == 1


def test_what_was_to_be_cancelled_is_cancelled_when_the_node_leaves(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE_SECONDS", 0.1)

    with platform(open_folder, SKILLS) as running:
        task_id = running.submit("sleep", seconds=60)
        running.reached(task_id, State.RUNNING)
        cancel([task_id], actor="person:ada", reason="not needed")

    assert Task.objects.get(id=task_id).state == State.CANCELLED


def test_the_slot_of_a_session_that_was_fenced_off_is_free_when_it_is_gone(
    open_folder: Path,
) -> None:
    world = open_folder / "world"
    world.mkdir()
    world.chmod(0o777)
    with platform(open_folder, SKILLS, slots=1) as running:
        first = running.submit("deaf", world=str(world))
        running.reached(first, State.RUNNING)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tasks_task SET epoch = epoch + 1, lease_until = NULL, state = 'held',"
                " node = '' WHERE id = %s",
                [first],
            )

        running.reached(running.submit("sleep", seconds=0.5), State.RUNNING)

        beat = (world / "beat").stat().st_mtime_ns
        time.sleep(0.2)
        assert (world / "beat").stat().st_mtime_ns == beat
