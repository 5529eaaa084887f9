"""`make bench-sessions`: all arms in turns, a table, a file and a picture."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.figures import machine, save, say
from bench.sessions import arms, peers, pools, results
from bench.sessions.arms import Arm
from bench.sessions.lifecycle import Lifecycle, lifecycle
from bench.sessions.picture import drawn
from bench.sessions.results import Plan, Result
from console.host.home import Home

WHOLE = Plan(rounds=5, sessions=40, slots=(2, 8))
QUICK = Plan(rounds=2, sessions=20, slots=(2,))


def main() -> None:
    """Measure, print and keep."""
    plan = QUICK if os.environ.get("QUICK") == "1" else WHOLE
    facts = machine()
    with _home() as home:
        found, memory = compared(plan, home)
    results.shown(found, memory, facts)
    say(f"kept in {save('sessions', results.as_json(found, memory, facts))}")
    say(f"drawn in {drawn(found)}")


def compared(plan: Plan, home: Path) -> tuple[list[Result], dict[str, dict[str, int]]]:
    """The results of every arm, and the memory of the pools, by level."""
    found: list[Result] = []
    memory: dict[str, dict[str, int]] = {}
    for number, slots in enumerate(plan.slots):
        with ExitStack() as stack:
            whole = stack.enter_context(lifecycle(home / "platform", slots))
            prefork = stack.enter_context(peers.workers(results.PEER, 10, whole.broker))
            rivals: list[Arm] = [whole, prefork]
            if number == 0:
                rivals += _once(stack, whole, home, memory)
            found += results.measured(rivals, plan)
    return found, memory


def _once(
    stack: ExitStack, whole: Lifecycle, home: Path, memory: dict[str, dict[str, int]]
) -> Sequence[Arm]:
    """The arms that do not depend on the slots of the platform."""
    one_each = ("Celery, max_tasks_per_child=1", 0.2, whole.broker, "--max-tasks-per-child=1")
    sessions = [stack.enter_context(pools.pool(home / "pools", level)) for level in pools.levels()]
    memory.update({pool.name: pool.memory() for pool in sessions})
    loading = arms.LOADING.format(folder=str(pools.SKILLS))
    return [
        *sessions,
        stack.enter_context(peers.workers(*one_each)),
        stack.enter_context(arms.forks(arms.Forks, arms.FORKING)),
        stack.enter_context(arms.forks(arms.LoadedForks, loading + arms.FORKING)),
        arms.programs(),
    ]


@contextmanager
def _home() -> Iterator[Path]:
    """A folder that the users of sessions can pass through, gone afterwards with all its data."""
    made = Path(tempfile.mkdtemp(prefix="autonomy-bench-")).resolve()
    made.chmod(0o755)
    try:
        yield made
    finally:
        Home(made / "platform").forget()
        shutil.rmtree(made)


if __name__ == "__main__":
    main()
