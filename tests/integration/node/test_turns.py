"""Rounds of a node's loop: nothing that was heard is lost, whatever the database or a part does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from autonomy.domain.states import State
from autonomy.node.services.looks import Looks
from ledger.models import Event
from tests.support.platform import Platform, platform

SKILLS = '''
@skill(tier=1, name="ends", scope=Scope(read=("{folder}",)))
def ends(ctx: Context, folder: str) -> None:
    """Wait for a file."""
    while not Path(folder, "go").exists():
        time.sleep(0.02)

@skill(tier=1, name="asks", scope=Scope(read=("{folder}",)))
def asks(ctx: Context, folder: str) -> None:
    """Wait for a file, then stop in a way that only a person can judge."""
    def send():
        while not Path(folder, "go").exists():
            time.sleep(0.02)
        os._exit(9)
    ctx.effect("send", send)
'''

pytestmark = pytest.mark.django_db(transaction=True)


def broken(looks: Looks) -> None:
    raise KeyError(f"what a part may lack beside {looks.free} looks")


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS, slots=3, parts=[broken]) as running:
        yield running


@contextmanager
def tasks_out_of_reach(seconds: float) -> Iterator[None]:
    """Connections are cut, and what needs a task waits until it runs out of time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tasks_task IN ACCESS EXCLUSIVE MODE")
        yield
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        time.sleep(seconds)


def test_what_ends_during_an_outage_is_settled_or_asked_about_after_it(
    at_work: Platform, open_folder: Path
) -> None:
    world = open_folder / "world"
    world.mkdir(mode=0o755)
    waiting = [at_work.submit("ends", folder=str(world)) for _ in range(2)]
    asking = at_work.submit("asks", folder=str(world))
    for task_id in (*waiting, asking):
        at_work.reached(task_id, State.RUNNING)
    at_work.until(asking, lambda task: task.effects.exists())

    with tasks_out_of_reach(seconds=6.5):
        (world / "go").touch()

    assert {at_work.ended(task_id).state for task_id in waiting} == {State.DONE}
    assert at_work.reached(asking, State.HELD).reason.startswith("ambiguous")
    assert {at_work.task(task_id).attempt for task_id in waiting} == {1}
    assert not Event.objects.filter(type="stale_write_rejected").exists()
