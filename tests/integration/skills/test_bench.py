"""What the bench of `autonomy.testing` does for those who test a skill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.domain.states import ErrorClass
from autonomy.testing import Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

SKILLS = '''
from pathlib import Path
from autonomy.sdk import *

@skill(name="plan", tier=1)
def plan(ctx):
    """Ask for two tasks, and say so."""
    ctx.say("asking")
    ctx.submit([
        Submission("first", "other.skill", {"n": 1}),
        Submission("second", "other.skill", {"n": ctx.result_of("first", "n")}, ["first"]),
    ])

@skill(name="inherit", tier=1)
def inherit(ctx):
    """Use what came before."""
    return ctx.upstream["before"].result

@skill(name="twice", tier=1)
def twice(ctx, book: str):
    """Count how often it happened."""
    return ctx.effect("count", lambda: 1)

@skill(name="held", tier=1)
def held(ctx):
    """Not know."""
    raise Ambiguous("nobody knows")

@skill(name="inside", tier=1, scope=Scope(read=("/srv/{name}",)))
def inside(ctx, name: str):
    """Read a folder."""

@skill(name="careful", tier=2)
def careful(ctx, go: bool):
    """Act after a look."""
    return "acted"

@careful.preflight
def _(ctx, go):
    return Plan(go=go, summary="looked")

@skill(name="unplanned", tier=2)
def unplanned(ctx):
    """Act without a look."""
'''


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("skills")
    (folder / "made.py").write_text(SKILLS)
    with Bench(folder) as running:
        assert running.problems == {}
        yield running


def test_what_a_skill_says_and_asks_for_is_kept_and_not_done(bench: Bench) -> None:
    tried = bench.run("plan")

    assert tried.said == ("asking",)
    assert [one["key"] for one in tried.submitted] == ["first", "second"]
    assert tried.submitted[1]["args"] == {"n": {"$ref": "first", "path": "n"}}
    assert "other.skill" not in bench.skills


def test_tasks_before_it_can_be_made_up(bench: Bench, tmp_path: Path) -> None:
    before = {
        "task_id": "00000000-0000-0000-0000-000000000001", "key": "before", "skill": "x",
        "state": "done", "verdict": "verified", "reason": "", "node": "n1", "seconds": 1.0,
        "result": 7, "attempts": 1, "artifacts": {},
    }  # fmt: skip

    assert bench.run("inherit", upstream=[before]).result == 7


def test_a_done_effect_is_remembered_and_a_lost_one_is_ambiguous(bench: Bench) -> None:
    first = bench.run("twice", book="/x")

    assert bench.again(first).result == 1
    bench.lose(first, "count")
    assert bench.again(first).state == "held"


def test_what_nobody_knows_is_held(bench: Bench) -> None:
    tried = bench.run("held")

    assert (tried.state, tried.why) == ("held", "nobody knows")


def test_a_scope_that_cannot_be_made_fails_before_anything_is_begun(bench: Bench) -> None:
    tried = bench.run("inside", name="../etc")

    assert (tried.state, tried.error_class) == ("failed", ErrorClass.PERMANENT)
    assert "name='../etc'" in tried.why


def test_a_preflight_decides_whether_it_goes_on(bench: Bench) -> None:
    went, stopped = bench.run("careful", go=True), bench.run("careful", go=False)

    assert (went.state, went.result) == ("done", "acted")
    assert (stopped.state, stopped.result, stopped.why) == ("rejected", None, "pre-flight: looked")
    assert bench.run("unplanned").state == "rejected"


def test_what_no_task_could_hold_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="NUL"):
        bench.run("inside", name="a\0b")
