"""What no task may do to its node: end it, hold it up, or be tried for ever."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection

from autonomy.domain.states import State
from autonomy.tasks import services
from autonomy.tasks.models import Artifact, Session, Task
from ledger.models import Outcome
from tests.support.platform import Platform, platform

SKILLS = '''
@skill(tier=1, name="fine")
def fine(ctx: Context) -> None:
    """Do nothing."""

@skill(tier=1, name="astray", scope=Scope(read=("{nowhere}",)))
def astray(ctx: Context, nowhere: str | None = None) -> None:
    """Have a scope that names an argument which may be none."""

@skill(tier=1, name="here", scope=Scope(read=("{folder}",)))
def here(ctx: Context, folder: str = "/usr/share") -> None:
    """Have a scope that names an argument with a default."""

@skill(tier=1, name="odd_names", retries=0)
def odd_names(ctx: Context) -> None:
    """Leave files that cannot be read, have no name in text, or are deep."""
    (ctx.artifacts / "good.txt").write_text("kept")
    with open(os.fsencode(ctx.artifacts) + b"/\\xff\\xfe", "w") as file:
        file.write("x")
    os.chdir(ctx.artifacts)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")

@skill(tier=1, name="leave", retries=0)
def leave(ctx: Context) -> None:
    """Leave a file."""
    (ctx.artifacts / "out.txt").write_text("x")

@skill(tier=1, name="babble", retries=0)
def babble(ctx: Context) -> None:
    """Ask for what makes no sense."""
    told = []
    for name, params in [("submit", {}), ("submit", {"submissions": [{"key": 1}]}), ("say", {})]:
        try:
            ctx._supervisor.call(name, **params)
        except Exception as error:
            told.append(str(error))
    raise RuntimeError(" | ".join(told))

@skill(tier=1, name="look_long", timeout="60s")
def look_long(ctx: Context) -> None:
    """Be looked at for long."""

@look_long.verify
def _(ctx, args, result):
    time.sleep(60)
    return Evidence.of(check("x", expected=1, seen=1))

@skill(tier=3, name="grave")
def grave(ctx: Context) -> None:
    """Be approved."""

@skill(tier=1, name="sleep", timeout="60s")
def sleep(ctx: Context, seconds: float) -> str:
    """Sleep."""
    time.sleep(seconds)
    return VERSION

VERSION = "old"
'''

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS) as running:
        yield running


def still_works(at_work: Platform) -> bool:
    return at_work.ended(at_work.submit("fine")).state == State.DONE


def test_a_scope_that_fits_no_arguments_ends_its_task_alone(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("astray"))

    assert task.state == State.FAILED
    assert "nowhere" in task.reason
    assert still_works(at_work)


def test_a_scope_may_name_an_argument_that_is_left_to_its_default(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("here"))

    assert (task.state, task.reason) == (State.DONE, "")


def test_files_with_odd_names_are_left_out_and_end_nothing(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("odd_names"))

    assert task.state == State.DONE
    assert [kept.name for kept in Artifact.objects.filter(task=task)] == ["good.txt"]
    assert still_works(at_work)


def test_a_file_that_is_missing_from_the_store_ends_what_needs_it_alone(at_work: Platform) -> None:
    first = at_work.ended(at_work.submit("leave"))
    at_work.store.path(Artifact.objects.get(task=first).sha256).unlink()
    needs = services.submit(
        "leave", {}, origin="person:ada", requested_by="person:ada", depends_on=[first.id]
    )

    task = at_work.ended(needs.task_id)

    assert (task.state, Outcome.objects.get(task_id=task.id).error_class) == ("failed", "resource")
    assert "MissingArtifact" in task.reason
    assert still_works(at_work)


def test_a_call_that_makes_no_sense_is_refused_and_ends_nothing(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("babble"))

    assert task.reason.count("is not understood") == 2
    assert still_works(at_work)


def test_what_the_database_will_never_take_ends_its_task_alone(at_work: Platform) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tasks_artifact ADD CONSTRAINT never CHECK (name <> 'out.txt')")
    try:
        task = at_work.ended(at_work.submit("leave"))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tasks_artifact DROP CONSTRAINT never")

    assert (task.state, Session.objects.get(task=task).ended) == ("failed", "failed")
    assert "never" in task.reason
    assert still_works(at_work)


def test_a_task_is_cancelled_while_its_evidence_is_looked_for(at_work: Platform) -> None:
    task_id = at_work.submit("look_long")
    at_work.reached(task_id, State.VERIFYING)

    services.cancel([task_id], actor="person:ada", reason="no longer wanted")

    assert at_work.ended(task_id).state == State.CANCELLED
    assert still_works(at_work)


def test_an_approval_outlives_a_pause_of_the_node(at_work: Platform) -> None:
    task_id = at_work.submit("grave")
    at_work.reached(task_id, State.HELD)
    paused("systemmap_component", to=True)
    at_work.decide(task_id, "approved")
    at_work.reached(task_id, State.READY)
    give_to_the_node(task_id)
    at_work.supervisor.ring()
    at_work.until(task_id, lambda _: still_idle(task_id))
    paused("systemmap_component", to=False)

    assert at_work.ended(task_id).state == State.DONE


def paused(table: str, *, to: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET paused = %s", [to])  # noqa: S608 -- ours


def give_to_the_node(task_id: UUID) -> None:
    Task.objects.filter(id=task_id, state="ready").update(
        state=State.DISPATCHED, node="n1", epoch=50, dispatched_at="2099-01-01T00:00Z"
    )


_seen: list[float] = []


def still_idle(task_id: UUID) -> bool:
    """Whether the node has had the time to look, and left the task where it was."""
    _seen.append(os.times().elapsed)
    return _seen[-1] - _seen[0] > 3 and Task.objects.get(id=task_id).state == State.DISPATCHED


def test_changed_sources_are_loaded_and_what_runs_goes_on(
    at_work: Platform, open_folder: Path
) -> None:
    running = at_work.submit("sleep", seconds=12)
    at_work.reached(running, State.RUNNING)
    source = open_folder / "skills" / "made.py"
    source.write_text(source.read_text().replace('VERSION = "old"', 'VERSION = "new"'))

    def ended_new(_: Task) -> bool:
        return at_work.ended(at_work.submit("sleep", seconds=0)).result == "new"

    at_work.until(running, ended_new)

    first = at_work.ended(running)
    assert (first.state, first.result, first.attempt) == ("done", "old", 1)
    versions = Session.objects.filter(task__skill="sleep").values_list("version", flat=True)
    assert len(set(versions)) == 2
