"""The benchmark of sessions runs what it says it runs; how fast is not for a test to say."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.sessions import arms, peers, pools, results
from bench.sessions.arms import Arm, Round
from bench.sessions.lifecycle import lifecycle
from bench.sessions.results import Plan, Result
from tests.integration.host.conftest import fresh_home
from tests.integration.sessions.conftest import linux_only

TINY = Plan(rounds=2, sessions=4, slots=(2,))

pytestmark = linux_only


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the users of sessions can pass through."""
    with fresh_home() as home:
        yield home.path


@pytest.mark.parametrize("level", pools.levels())
def test_sessions_are_run_at_each_level_and_timed_one_by_one(place: Path, level: int) -> None:
    with pools.pool(place, level) as pool:
        found = pool.run(4)
        memory = pool.memory()

    assert (found.tasks, len(found.begins), len(found.latencies)) == (4, 2, 2)
    assert all(0 < b <= a for b, a in zip(found.begins, found.latencies, strict=True))
    assert all(memory[kind] > 100_000 for kind in ("zygote", "session"))


def test_bare_processes_are_counted_with_what_they_used() -> None:
    loading = arms.LOADING.format(folder=str(pools.SKILLS))
    with arms.forks(arms.Forks, arms.FORKING) as forks:
        forked = forks.run(3)
    with arms.forks(arms.LoadedForks, loading + arms.FORKING) as forks:
        loaded = forks.run(3)
    programs = arms.programs().run(2)

    assert (forked.tasks, loaded.tasks, programs.tasks) == (3, 3, 2)
    assert len(programs.latencies) == 2
    assert programs.cpu_seconds > 0


def test_celery_drains_what_is_put_on_its_shelf(redis_url: str) -> None:
    with peers.workers(results.PEER, 1, redis_url) as workers:
        found = workers.run(5)

    assert found.tasks == 5
    assert found.cpu_seconds >= 0


def test_whole_tasks_are_done_and_verified_and_their_cost_is_split() -> None:
    with fresh_home() as home, lifecycle(home.path, slots=2) as whole:
        found = whole.run(4)

    assert (found.tasks, len(found.latencies)) == (4, 2)
    assert found.parts.keys() >= {"postgres", "engine", "node", "zygote", "sessions", "submit"}
    assert sum(found.parts.values()) == pytest.approx(found.cpu_seconds)


class Counted:
    """An arm that only counts."""

    share = 1.0

    def __init__(self, name: str, rate: float) -> None:
        self.name = name
        self.rate = rate
        self.ran: list[int] = []

    def run(self, tasks: int) -> Round:
        """Take as long as its rate says."""
        self.ran.append(tasks)
        return Round(tasks, tasks / self.rate, tasks * 0.002, [0.001, 0.003])


def test_every_arm_is_run_in_every_round_and_compared_in_the_same_round() -> None:
    rivals: list[Arm] = [Counted(results.PEER, 100), Counted("ours", 250)]

    found = results.measured(rivals, TINY)

    assert [len(one.rounds) for one in found] == [2, 2]
    assert [round(one.to_peer, 3) for one in found] == [1, 2.5]
    assert [round(one.cpu_ms, 3) for one in found] == [2, 2]
    assert found[1].latency_ms(0.99) == 3


def test_the_figures_can_be_kept_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Result("ours", [Round(4, 2.0, 0.01, [0.001], [0.0005])])]
    facts = {"at": "now", "cpu": "one", "cores": 1, "load_before": 0.0}

    results.shown(found, {"ours": {"zygote": 1}}, facts)
    shape = json.loads(json.dumps(results.as_json(found, {}, facts)))

    assert shape["arms"][0]["per_second"] == 2
    assert shape["arms"][0]["rounds"] == [asdict(found[0].rounds[0])]
    assert "ours" in capsys.readouterr().out
