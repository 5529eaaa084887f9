"""A side effect happens at most once, wherever its session is killed (C-9)."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from autonomy.domain.states import HeldFor, State
from autonomy.sdk.evidence import Verdict
from autonomy.tasks import services
from autonomy.tasks.models import Effect
from firewall.models import Approval
from ledger.models import Event, Outcome
from tests.support.fleet import fleet
from tests.support.platform import HEADER, PERSON, Platform, ended, platform, reached

pytestmark = pytest.mark.django_db(transaction=True)

SKILLS = '''
from autonomy.sdk.errors import DidNotHappen
from autonomy.verification import *

WORLD = Scope(write=("{world}",))

def die(world, at, here):
    died = Path(world, "died")
    if at == here and not died.exists():
        died.touch()
        os._exit(137)  # the first process of a namespace cannot kill itself

def deed(world):
    """What must not happen twice."""
    with Path(world, "journal").open("a") as journal:
        journal.write("x")

def perform(ctx, world, at, **how):
    def act():
        die(world, at, "intent")
        time.sleep(60 if at == "slow" and ctx.attempt == 1 else 0)
        deed(world)
        die(world, at, "act")
        return "receipt"
    receipt = ctx.effect("deed", act, **how)
    die(world, at, "done")
    return receipt

@skill(tier=1, name="plain", scope=WORLD, backoff="0s")
def plain(ctx: Context, world: str, at: str) -> str:
    """Nobody can look up whether it happened."""
    return perform(ctx, world, at)

@skill(tier=1, name="last", scope=WORLD, retries=0)
def last(ctx: Context, world: str, at: str) -> str:
    """The same, with no attempt left."""
    return perform(ctx, world, at)

@skill(tier=1, name="again", scope=WORLD, backoff="0s")
def again(ctx: Context, world: str, at: str) -> str:
    """Twice is as good as once."""
    return perform(ctx, world, at, repeatable=True)

@skill(tier=1, name="asks", scope=WORLD, backoff="0s")
def asks(ctx: Context, world: str, at: str) -> str:
    """The world tells whether it happened."""
    return perform(ctx, world, at) or "found"

@asks.reconcile
def _(ctx, step, args):
    return file_contains(Path(args["world"], "journal"), "x")

@skill(tier=1, name="unsure", scope=WORLD, backoff="0s")
def unsure(ctx: Context, world: str, at: str) -> str:
    """The world does not tell."""
    return perform(ctx, world, at)

@unsure.reconcile
def _(ctx, step, args):
    return http_answers("http://127.0.0.1:9/")

@skill(tier=1, name="verified_first", scope=WORLD, backoff="0s", on_ambiguous="verify",
    verify_within="1s")
def verified_first(ctx: Context, world: str, at: str) -> str:
    """Its verifier can tell without a result."""
    return perform(ctx, world, at)

@verified_first.verify
def _(ctx, args, result):
    return file_contains(Path(args["world"], "journal"), "x")

@skill(tier=1, name="swallows", scope=WORLD, retries=0)
def swallows(ctx: Context, world: str) -> str:
    """Go on as if nothing had happened."""
    try:
        ctx.effect("deed", lambda: 1 / 0)
    except ZeroDivisionError:
        return "done"

@swallows.verify
def _(ctx, args, result):
    return file_contains(Path(args["world"], "journal"), "x")

@skill(tier=1, name="refused", scope=WORLD, backoff="0s")
def refused(ctx: Context, world: str) -> str:
    """Be turned away before anything has happened."""
    def act():
        if ctx.attempt == 1:
            raise DidNotHappen("connection refused")
        deed(world)
    ctx.effect("deed", act)
    return "done"
'''


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS) as running:
        yield running


@pytest.fixture
def world(open_folder: Path) -> Path:
    return _world(open_folder)


def _world(folder: Path) -> Path:
    made = Path(tempfile.mkdtemp(dir=folder))
    made.chmod(0o777)
    (made / "journal").touch()
    (made / "journal").chmod(0o666)
    return made


def _deeds(world: Path) -> int:
    return len((world / "journal").read_text())


def test_a_session_killed_after_its_effect_repeats_nothing(at_work: Platform, world: Path) -> None:
    task = at_work.ended(at_work.submit("plain", world=str(world), at="done"))

    assert (task.state, task.result, task.attempt) == (State.DONE, "receipt", 2)
    assert _deeds(world) == 1


@pytest.mark.parametrize(("at", "deeds"), [("intent", 0), ("act", 1)])
@pytest.mark.parametrize("skill", ["plain", "last", "unsure"])
def test_one_killed_inside_its_effect_is_left_to_a_person(
    at_work: Platform, world: Path, skill: str, at: str, deeds: int
) -> None:
    task = at_work.reached(at_work.submit(skill, world=str(world), at=at), State.HELD)

    assert task.reason.startswith(HeldFor.AMBIGUOUS)
    assert _deeds(world) == deeds
    assert Effect.objects.get(task=task).done_at is None
    assert "Approve to run it again" in Approval.objects.get(task_id=task.id).summary
    assert not Outcome.objects.filter(task_id=task.id).exists()


def test_when_a_person_lets_it_run_again_it_does(at_work: Platform, world: Path) -> None:
    task_id = at_work.submit("plain", world=str(world), at="intent")
    at_work.reached(task_id, State.HELD)
    at_work.decide(task_id, "approved")

    task = at_work.ended(task_id)

    assert (task.state, _deeds(world)) == (State.DONE, 1)
    types = Event.objects.filter(stream_id=str(task_id)).values_list("type", flat=True)
    assert "effect_forgotten" in types
    assert "claim_refused" not in types


@pytest.mark.parametrize(("at", "deeds"), [("intent", 1), ("act", 2), ("done", 1)])
def test_what_may_be_repeated_is(at_work: Platform, world: Path, at: str, deeds: int) -> None:
    task = at_work.ended(at_work.submit("again", world=str(world), at=at))

    assert (task.state, task.result) == (State.DONE, "receipt")
    assert _deeds(world) == deeds


@pytest.mark.parametrize("at", ["intent", "act", "done"])
def test_where_the_world_tells_it_happens_exactly_once(
    at_work: Platform, world: Path, at: str
) -> None:
    task = at_work.ended(at_work.submit("asks", world=str(world), at=at))

    assert (task.state, task.attempt, _deeds(world)) == (State.DONE, 2, 1)
    assert task.result == ("found" if at == "act" else "receipt")


def test_where_the_verifier_tells_that_it_happened_nothing_is_run_again(
    at_work: Platform, world: Path
) -> None:
    task = at_work.ended(at_work.submit("verified_first", world=str(world), at="act"))

    outcome = Outcome.objects.get(task_id=task.id)
    assert (task.state, outcome.verdict, task.attempt) == (State.DONE, Verdict.VERIFIED, 2)
    assert (task.result, _deeds(world)) == (None, 1)


def test_that_the_verifier_sees_nothing_does_not_mean_that_nothing_happened(
    at_work: Platform, world: Path
) -> None:
    task_id = at_work.submit("verified_first", world=str(world), at="intent")

    task = at_work.reached(task_id, State.HELD)

    assert task.reason.startswith(HeldFor.AMBIGUOUS)
    assert "0 bytes" in task.reason
    assert task.evidence is not None
    assert (task.evidence["verdict"], _deeds(world)) == (Verdict.REFUTED, 0)


def test_a_refuted_task_that_had_begun_an_effect_is_left_to_a_person(
    at_work: Platform, world: Path
) -> None:
    task = at_work.reached(at_work.submit("swallows", world=str(world)), State.HELD)

    assert task.reason.startswith(f"{HeldFor.AMBIGUOUS}: nobody can tell whether 'deed' happened")
    assert "refuted" in task.reason


def test_an_effect_that_certainly_did_not_happen_is_simply_tried_again(
    at_work: Platform, world: Path
) -> None:
    task = at_work.ended(at_work.submit("refused", world=str(world)))

    assert (task.state, task.attempt, _deeds(world)) == (State.DONE, 2, 1)


def test_a_node_killed_inside_an_effect_leaves_it_to_a_person_and_not_to_chance(
    open_folder: Path,
) -> None:
    """The whole node is killed: its lease runs out, another one finds what was begun."""
    (open_folder / "skills").mkdir()
    (open_folder / "skills" / "made.py").write_text(HEADER + SKILLS)
    worlds = {skill: _world(open_folder) for skill in ("plain", "last", "again")}
    with fleet(open_folder, open_folder / "skills", nodes=("n1",), slots=4) as running:
        tasks = {
            skill: services.submit(
                skill, {"world": str(world), "at": "slow"}, origin=PERSON, requested_by=PERSON
            ).task_id
            for skill, world in worlds.items()
        }
        while Effect.objects.count() < len(tasks):
            time.sleep(0.05)
        running.kill("n1")
        _run("UPDATE tasks_task SET lease_until = now() WHERE lease_until IS NOT NULL")
        running.start_node("n2")
        held = [reached(tasks[skill], State.HELD) for skill in ("plain", "last")]
        again = ended(tasks["again"])

    assert all(task.reason.startswith(HeldFor.AMBIGUOUS) for task in held)
    assert all(Approval.objects.filter(task_id=task.id).exists() for task in held)
    assert [_deeds(world) for world in worlds.values()] == [0, 0, 1]
    assert (again.state, again.attempt) == (State.DONE, 2)
    call_command("flush", verbosity=0, interactive=False)


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
