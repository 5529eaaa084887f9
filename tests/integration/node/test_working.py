"""A node at work: from a request to a verified outcome, through real session processes."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from autonomy.domain.states import State
from autonomy.sdk.evidence import Verdict
from autonomy.systemmap import services as systemmap
from autonomy.systemmap.models import Component
from autonomy.tasks import services
from autonomy.tasks.models import Artifact, Effect, Session, Task
from firewall.models import Approval
from ledger.models import Event, Outcome
from tests.support.platform import Platform, platform

SKILLS = '''
@skill(tier=1, name="write", backoff="0s")
def write(ctx: Context, text: str) -> dict:
    """Write a file."""
    (ctx.artifacts / "out.txt").write_text(text)
    return {"text": text}

@write.verify
def _(ctx, args, result):
    seen = ctx.artifacts["out.txt"].read_text()
    return Evidence.of(check("out.txt", expected=args["text"], seen=seen))

@skill(tier=1, name="pretend", retries=1, backoff="0s")
def pretend(ctx: Context) -> str:
    """Say that it worked."""
    return "success"

@pretend.verify
def _(ctx, args, result):
    return Evidence.of(check("out.txt", expected=True, seen="out.txt" in ctx.artifacts))

@skill(tier=1, name="plan")
def plan(ctx: Context) -> None:
    """Ask for two tasks, one after the other."""
    ctx.submit([
        Submission(key="first", skill="write", args={"text": "one"}),
        Submission(
            key="second", skill="copy", args={"text": ctx.result_of("first", "text")},
            depends_on=["first"],
        ),
    ])

@skill(tier=1, name="copy")
def copy(ctx: Context, text: str) -> str:
    """Read what the first left."""
    return text + "=" + ctx.upstream["first"].artifacts["out.txt"].read_text()

@skill(tier=2, name="careful")
def careful(ctx: Context, go: bool) -> str:
    """Change something."""
    return "changed"

@careful.preflight
def _(ctx, go):
    return Plan(go=go, summary="the check says " + ("go" if go else "no"), diff="- a\\n+ b")

@skill(tier=3, name="risky", scope=Scope(read=("{world}",), write=("{world}",)))
def risky(ctx: Context, world: str) -> str:
    """Change the world."""
    return ctx.effect("change", lambda: Path(world, "state").write_text("changed") and "changed")

@risky.reads
def _(world):
    return {"state": Path(world, "state").read_text()}

@skill(tier=1, name="sleep", timeout="60s", backoff="0s")
def sleep(ctx: Context, seconds: float = 60) -> None:
    """Sleep."""
    time.sleep(seconds)

@skill(tier=1, name="late", timeout="0.3s", retries=0)
def late(ctx: Context) -> None:
    """Sleep longer than allowed."""
    time.sleep(30)

@skill(tier=1, name="send", retries=2, backoff="0s")
def send(ctx: Context) -> None:
    """Die in the middle of an effect that nobody can look up."""
    ctx.effect("send", lambda: os._exit(9))
'''


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS) as running:
        yield running


@pytest.fixture
def world(open_folder: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o777)
    (folder / "state").write_text("as it was")
    (folder / "state").chmod(0o666)
    return folder


def test_a_task_is_done_when_the_evidence_says_so(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("write", text="hello"))

    outcome = Outcome.objects.get(task_id=task.id)
    assert (task.state, task.reason) == (State.DONE, "")
    assert outcome.verdict == Verdict.VERIFIED
    assert outcome.evidence["checks"][0]["seen"] == "hello"
    kept = Artifact.objects.get(task=task)
    assert at_work.store.path(kept.sha256).read_text() == "hello"


def test_its_own_word_does_not_make_a_task_done(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("pretend"))

    outcome = Outcome.objects.get(task_id=task.id)
    assert (task.state, outcome.verdict) == (State.FAILED, Verdict.REFUTED)
    assert outcome.retries == 1
    assert "expected True, saw False" in task.reason


def test_a_session_asks_for_tasks_that_use_each_others_results_and_files(at_work: Platform) -> None:
    parent = at_work.ended(at_work.submit("plan"))

    second = at_work.ended(Task.objects.get(parent_id=parent.id, key="second").id)

    assert second.result == "one=one"
    assert second.requested_by == "service:plan"
    assert second.cause == [f"plan:{parent.id}"]


def test_a_tier_2_task_runs_after_its_check_says_go(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("careful", go=True))

    assert task.state == State.DONE
    assert task.plan is not None
    assert task.plan["diff"] == "- a\n+ b"


def test_a_tier_2_task_is_rejected_when_its_check_says_no(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("careful", go=False))

    assert (task.state, task.reason) == (State.REJECTED, "pre-flight: the check says no")
    assert not Session.objects.filter(task=task, purpose="run").exists()


def test_a_tier_3_task_runs_what_a_person_approved(at_work: Platform, world: Path) -> None:
    task_id = at_work.submit("risky", world=str(world))
    at_work.reached(task_id, State.HELD)
    at_work.decide(task_id, "approved")

    task = at_work.ended(task_id)

    assert task.state == State.DONE
    assert (world / "state").read_text() == "changed"
    assert Approval.objects.get(task_id=task_id).consumed_at is not None


def test_a_tier_3_task_that_is_rejected_changes_nothing(at_work: Platform, world: Path) -> None:
    task_id = at_work.submit("risky", world=str(world))
    at_work.reached(task_id, State.HELD)
    at_work.decide(task_id, "rejected")

    assert at_work.ended(task_id).state == State.REJECTED
    assert (world / "state").read_text() == "as it was"


def test_what_changes_after_the_approval_is_refused_and_asked_anew(
    at_work: Platform, world: Path
) -> None:
    task_id = at_work.submit("risky", world=str(world))
    at_work.reached(task_id, State.HELD)
    (world / "state").write_text("moved on")
    at_work.decide(task_id, "approved")

    at_work.until(task_id, lambda _: Approval.objects.filter(task_id=task_id).count() == 2)

    assert (world / "state").read_text() == "moved on"
    assert Event.objects.filter(type="claim_refused", stream_id=str(task_id)).exists()
    first, second = Approval.objects.filter(task_id=task_id).order_by("created_at")
    assert (first.decision, second.decision) == ("void", "pending")
    at_work.decide(task_id, "approved")
    assert at_work.ended(task_id).state == State.DONE


def test_what_changes_between_the_approval_and_the_claim_is_refused_and_asked_anew(
    at_work: Platform, world: Path
) -> None:
    task_id = at_work.submit("risky", world=str(world))
    at_work.reached(task_id, State.HELD)
    risky = [Component.objects.get(name="risky").id]
    systemmap.pause_components(risky, by="person:ada", reason="to look at it")
    at_work.decide(task_id, "approved")
    at_work.reached(task_id, State.READY)
    (world / "state").write_text("moved on")
    systemmap.resume_components(risky, by="person:ada", reason="looked at")

    at_work.until(task_id, lambda _: Approval.objects.filter(task_id=task_id).count() == 2)

    assert (world / "state").read_text() == "moved on"
    assert Event.objects.filter(type="claim_refused", stream_id=str(task_id)).exists()


def test_arguments_altered_after_the_approval_are_refused_and_asked_anew(
    at_work: Platform, world: Path, open_folder: Path
) -> None:
    other = Path(tempfile.mkdtemp(dir=open_folder))
    other.chmod(0o777)
    (other / "state").write_text("not asked about")
    task_id = at_work.submit("risky", world=str(world))
    at_work.reached(task_id, State.HELD)
    Task.objects.filter(id=task_id).update(resolved={"world": str(other)})
    at_work.decide(task_id, "approved")

    at_work.until(task_id, lambda _: Approval.objects.filter(task_id=task_id).count() == 2)

    assert (other / "state").read_text() == "not asked about"
    assert str(other) in Approval.objects.get(task_id=task_id, decision="pending").action


def test_a_running_session_is_ended_when_its_task_is_cancelled(at_work: Platform) -> None:
    task_id = at_work.submit("sleep")
    at_work.reached(task_id, State.RUNNING)

    services.cancel([task_id], actor="person:ada", reason="no longer wanted")

    task = at_work.ended(task_id)
    assert task.state == State.CANCELLED
    assert Session.objects.get(task=task).ended == "cancelled"


def test_a_session_that_takes_too_long_is_ended_with_that_reason(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("late"))

    assert (task.state, Outcome.objects.get(task_id=task.id).error_class) == ("failed", "timeout")


def test_a_killed_zygote_loses_its_sessions_and_they_run_again(at_work: Platform) -> None:
    task_id = at_work.submit("sleep", seconds=1.5)
    at_work.reached(task_id, State.RUNNING)
    os.kill(_zygote_of_this_process(), signal.SIGKILL)

    task = at_work.ended(task_id)

    assert task.state == State.DONE
    assert task.attempt == 2
    assert Outcome.objects.filter(task_id=task.id).count() == 1


def test_an_effect_whose_fate_nobody_knows_waits_for_a_person(at_work: Platform) -> None:
    task = at_work.reached(at_work.submit("send"), State.HELD)

    assert task.reason.startswith("ambiguous")
    assert Effect.objects.get(task=task).done_at is None
    question = Approval.objects.get(task_id=task.id)
    assert "Approve to run it again" in question.summary


def test_nothing_is_left_of_a_session_that_was_settled(
    at_work: Platform, open_folder: Path
) -> None:
    task = at_work.ended(at_work.submit("write", text="x"))

    (session,) = Session.objects.filter(task=task)
    at_work.until(task.id, lambda _: not (open_folder / "sessions" / str(session.id)).exists())


def test_events_carry_every_step_of_a_task(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("write", text="z"))

    types = list(Event.objects.filter(stream_id=str(task.id)).values_list("type", flat=True))
    assert types == [
        "task_submitted",
        "task_dispatched",
        "session_started",
        "session_ended",
        "task_done",
    ]


def _zygote_of_this_process() -> int:
    """The child of this process that forks sessions."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(parent) == os.getpid() and b"autonomy.sessions.zygote" in command:
                return int(entry.name)
    raise AssertionError("no zygote")


def test_a_database_that_went_away_is_waited_for(at_work: Platform) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert at_work.ended(at_work.submit("write", text="after")).state == State.DONE


def test_no_scope_reaches_what_the_platform_keeps_for_itself(
    at_work: Platform, open_folder: Path
) -> None:
    kept = open_folder / "artifacts"
    kept.mkdir(exist_ok=True)
    (kept / "state").write_text("kept")

    task = at_work.ended(at_work.submit("risky", world=str(kept)))

    assert task.state == State.FAILED
    assert "outside every scope" in task.reason
    assert (kept / "state").read_text() == "kept"
