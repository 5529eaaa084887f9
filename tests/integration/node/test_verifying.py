"""Looking for evidence: again and again, until there is some or the verifier's time is over."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from autonomy.domain.states import HeldFor, State
from autonomy.node.services.looks import MOST_LOOKS
from autonomy.sdk.evidence import Verdict
from autonomy.tasks import services
from autonomy.tasks.models import Session, Task
from firewall.models import Approval
from ledger.domain.evidence import digest
from ledger.models import Event, Outcome
from tests.support.fleet import fleet
from tests.support.platform import HEADER, PERSON, Platform, ended, platform, until

pytestmark = pytest.mark.django_db(transaction=True)

SKILLS = '''
from autonomy.verification import *

@skill(tier=1, name="leave", verify_within="20s", scope=Scope(write=("{world}",)))
def leave(ctx: Context, world: str) -> None:
    """Leave a file, count its runs, and wait for somebody else."""
    (ctx.folder / "left.txt").write_text("left")
    (ctx.artifacts / "kept.txt").write_text("kept")
    with Path(world, "runs").open("a") as runs:
        runs.write("x")

@leave.verify
def _(ctx, args, result):
    return all_of(
        file_contains(ctx.folder / "left.txt", "left"),
        file_contains(ctx.artifacts["kept.txt"], "kept"),
        eventually(file_contains(Path(args["world"], "arrived")), within="15s"),
    )

@skill(tier=1, name="outside", verify_within="20s", scope=Scope(read=("{world}",)))
def outside(ctx: Context, world: str) -> None:
    """Wait for somebody else, and leave nothing."""

@outside.verify
def _(ctx, args, result):
    return eventually(file_contains(Path(args["world"], "arrived")), within="15s")

@skill(tier=1, name="never", verify_within="20s", retries=0)
def never(ctx: Context) -> None:
    """Promise what does not happen."""

@never.verify
def _(ctx, args, result):
    return eventually(check("it", expected=1, seen=0), within="1s")

@skill(tier=1, name="raises", verify_within="1500ms")
def raises(ctx: Context) -> None:
    """Have a verifier that cannot look."""

@raises.verify
def _(ctx, args, result):
    raise RuntimeError("the service is away")

@skill(tier=1, name="hangs", verify_within="1500ms")
def hangs(ctx: Context) -> None:
    """Have a verifier that does not come back."""

@hangs.verify
def _(ctx, args, result):
    time.sleep(600)

@skill(tier=1, name="hangs_long", verify_within="90s")
def hangs_long(ctx: Context) -> None:
    """Have a verifier that takes its time."""

@hangs_long.verify
def _(ctx, args, result):
    time.sleep(600)

@skill(tier=3, name="bound")
def bound(ctx: Context) -> None:
    """Be looked at before it is claimed."""

@bound.reads
def _():
    return {"world": "as it was"}

@skill(tier=1, name="lies", verify_within="1s")
def lies(ctx: Context) -> None:
    """Have a verifier that answers with a word."""

@lies.verify
def _(ctx, args, result):
    return "verified"

@skill(tier=1, name="fine")
def fine(ctx: Context) -> None:
    """Be a neighbour."""

@fine.verify
def _(ctx, args, result):
    return Evidence.of(check("it", expected=1, seen=1))

@skill(tier=1, name="watched")
def watched(ctx: Context, pid: int) -> None:
    """Begin a process, or so it says."""

@watched.verify
def _(ctx, args, result):
    seen = process_runs(ctx.process, args["pid"], name="sleep")
    return all_of(seen, process_is_gone(ctx.process, 4_000_000), check("own view", expected=False,
        seen=Path(f"/proc/{args['pid']}/stat").exists()))
'''


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS) as running:
        yield running


@pytest.fixture
def world(open_folder: Path) -> Path:
    folder = open_folder / "world"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "runs").touch()
    (folder / "runs").chmod(0o666)
    return folder


def test_what_arrives_in_time_is_found_without_holding_a_slot(
    at_work: Platform, world: Path
) -> None:
    waiting = [at_work.submit("outside", world=str(world)) for _ in range(4)]
    for task_id in waiting:
        at_work.until(task_id, lambda task: task.evidence is not None)
    neighbour = at_work.ended(at_work.submit("fine"))
    (world / "arrived").write_text("at last")

    ended = [at_work.ended(task_id) for task_id in waiting]

    assert (neighbour.state, {task.state for task in ended}) == (State.DONE, {State.DONE})
    outcome = Outcome.objects.get(task_id=waiting[0])
    assert outcome.evidence["looks"] > 1
    assert (outcome.verdict, outcome.retries) == (Verdict.VERIFIED, 0)


def test_what_does_not_become_so_in_its_time_is_refuted(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("never"))

    outcome = Outcome.objects.get(task_id=task.id)
    assert (task.state, outcome.verdict) == (State.FAILED, Verdict.REFUTED)
    assert outcome.verify_seconds >= 1
    assert outcome.evidence["looks"] > 1


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        ("raises", "RuntimeError: the service is away"),
        ("hangs", "still running after 1.5 s"),
        ("lies", "this one gave str"),
    ],
)
def test_a_verifier_that_cannot_tell_is_left_to_a_person_and_harms_nobody(
    at_work: Platform, skill: str, words: str
) -> None:
    task_id = at_work.submit(skill)
    neighbour = at_work.ended(at_work.submit("fine"))

    task = at_work.reached(task_id, State.HELD)

    assert neighbour.state == State.DONE
    assert task.reason.startswith(HeldFor.INCONCLUSIVE)
    assert words in task.reason
    assert task.evidence is not None
    assert task.evidence["verdict"] == Verdict.INCONCLUSIVE
    assert words in task.evidence["error"]
    assert "Approve to run it again" in Approval.objects.get(task_id=task_id).summary
    assert not Outcome.objects.filter(task_id=task_id).exists()


def test_verifiers_that_hang_leave_room_for_other_looks(open_folder: Path) -> None:
    with platform(open_folder, SKILLS, slots=20) as running:
        hanging = [running.submit("hangs_long") for _ in range(MOST_LOOKS)]
        for task_id in hanging:
            running.reached(task_id, State.VERIFYING)
        other = running.submit("bound")
        running.reached(other, State.HELD)
        running.decide(other, "approved")

        assert running.ended(other).state == State.DONE
        services.cancel(hanging, actor=PERSON, reason="seen enough")
        assert {running.ended(task_id).state for task_id in hanging} == {State.CANCELLED}


def test_every_verdict_is_bound_into_the_chain_by_id_and_hash(at_work: Platform) -> None:
    done, refuted = at_work.ended(at_work.submit("fine")), at_work.ended(at_work.submit("never"))
    held = at_work.reached(at_work.submit("lies"), State.HELD)

    kept = {task.id: Outcome.objects.get(task_id=task.id).evidence for task in (done, refuted)}
    for task, evidence in [*((t, kept[t.id]) for t in (done, refuted)), (held, held.evidence)]:
        event = Event.objects.get(stream_id=str(task.id), type=f"task_{task.state}")
        assert event.payload["evidence_id"] == evidence["id"]
        assert event.payload["evidence_sha256"] == digest(evidence)
    assert len({evidence["id"] for evidence in kept.values()}) == 2


def test_a_verifier_sees_a_process_that_its_sandbox_hides(at_work: Platform) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        task = at_work.ended(at_work.submit("watched", pid=sleeper.pid))
        sleeper.kill()

    checks = Outcome.objects.get(task_id=task.id).evidence["checks"]
    assert [check["verdict"] for check in checks[:2]] == ["verified", "verified"]


def test_a_node_that_comes_back_looks_again_and_runs_nothing_again(
    open_folder: Path, world: Path
) -> None:
    with platform(open_folder, SKILLS) as first:
        task_id = first.submit("leave", world=str(world))
        first.until(task_id, lambda task: task.evidence is not None)
    before = Task.objects.get(id=task_id)

    with platform(open_folder, open_folder / "skills") as second:
        second.until(task_id, lambda task: task.lease_until is not None)
        (world / "arrived").write_text("at last")
        task = second.ended(task_id)

    assert (before.state, task.state) == (State.VERIFYING, State.DONE)
    assert (task.attempt, (world / "runs").read_text()) == (1, "x")
    assert task.verify_until == before.verify_until
    assert Session.objects.filter(task=task).count() == 1
    types = list(Event.objects.filter(stream_id=str(task_id)).values_list("type", flat=True))
    assert types[-4:] == [
        "session_ended", "verification_left", "verification_resumed", "task_done",
    ]  # fmt: skip
    session = Session.objects.get(task=task)
    second.until(task_id, lambda _: not (open_folder / "sessions" / str(session.id)).exists())


def test_where_the_files_are_lost_nothing_is_refuted(
    open_folder: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.node.selectors.GONE_SECONDS", 0)
    with platform(open_folder, SKILLS) as first:
        task_id = first.submit("leave", world=str(world))
        elsewhere_too = first.submit("outside", world=str(world))
        for waiting in (task_id, elsewhere_too):
            first.until(waiting, lambda task: task.evidence is not None)
    _run("UPDATE tasks_task SET node = 'gone', lease_until = now() - interval '1 s'")
    (world / "arrived").write_text("at last")

    with platform(open_folder, open_folder / "skills") as second:
        other = second.ended(elsewhere_too)
        _run("UPDATE tasks_task SET verify_until = now() WHERE state = 'verifying'")
        task = second.reached(task_id, State.HELD)

    assert other.state == State.DONE
    assert "the folder of the session is gone with the node" in task.reason
    assert (world / "runs").read_text() == "x"


def test_a_node_killed_while_evidence_is_looked_for_runs_nothing_again(
    open_folder: Path, world: Path
) -> None:
    (open_folder / "skills").mkdir()
    (open_folder / "skills" / "made.py").write_text(HEADER + SKILLS)
    with fleet(open_folder, open_folder / "skills", nodes=("n1",), slots=2) as running:
        args = {"world": str(world)}
        task_id = services.submit("leave", args, origin=PERSON, requested_by=PERSON).task_id
        until(task_id, lambda task: task.evidence is not None)
        running.kill("n1")
        (world / "arrived").write_text("at last")
        running.start_node("n1")
        task = ended(task_id)

    outcome = Outcome.objects.get(task_id=task_id)
    assert (task.state, outcome.verdict, task.attempt) == (State.DONE, Verdict.VERIFIED, 1)
    assert (world / "runs").read_text() == "x"


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
