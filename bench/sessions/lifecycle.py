"""The whole recorded life of a task on a real platform: submitted, run, verified, written down.

The platform is the one that `autonomy up` starts, with PostgreSQL as durable as it comes. It is
driven from a process of its own, `python -m bench.sessions.lifecycle HOME`: each number of tasks on
its input is run and answered with one line of JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from bench.sessions.arms import Round
from bench.sessions.pools import SKILLS
from bench.usage import cpu_seconds, ended_seconds, members, own_seconds
from console.host.lifecycle import running
from console.host.state import State

NODE = "bench"

_ROOT = Path(__file__).resolve().parents[2]
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 300
_ALONE = 10
_LEFT_TO_DEFAULTS = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "AUTONOMY_LOADED", "AUTONOMY_SKILLS"),
    *("AUTONOMY_READER_URL", "AUTONOMY_VERIFIER_URL", "DJANGO_SETTINGS_MODULE"),
)


@dataclass(frozen=True)
class Lived(Round):
    """What the tasks took, and the CPU seconds of each part."""

    parts: dict[str, float] = field(default_factory=dict)


class Lifecycle:
    """Tasks from `submit` to `done`, verified, on one node."""

    share = 2.0

    def __init__(self, driver: subprocess.Popen[str], slots: int) -> None:
        self.name = f"task, recorded and verified, {slots} slots"
        self._driver = driver
        self.broker = str(self._answer()["broker"])

    def run(self, tasks: int) -> Lived:
        """Some one by one for their latencies, then the rest at once."""
        if self._driver.stdin is None:
            raise RuntimeError("the driver has no input")
        self._driver.stdin.write(f"{tasks}\n")
        self._driver.stdin.flush()
        return Lived(**self._answer())

    def _answer(self) -> dict[str, Any]:
        line = self._driver.stdout.readline() if self._driver.stdout else ""
        if not line:
            raise RuntimeError("the platform's driver ended; what it printed says why")
        return dict(json.loads(line))


@contextmanager
def lifecycle(home: Path, slots: int) -> Iterator[Lifecycle]:
    """A platform of its own with one node, for as long as the block runs."""
    kept = {name: text for name, text in os.environ.items() if name not in _LEFT_TO_DEFAULTS}
    driver = subprocess.Popen(
        [sys.executable, "-m", "bench.sessions.lifecycle", str(home)],
        env=kept | {"AUTONOMY_NODES": NODE, "AUTONOMY_SLOTS": str(slots)},
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with driver:  # it ends with its input
        yield Lifecycle(driver, slots)


# -- in the process that drives the platform


def main() -> None:
    """Start the platform, run what is asked for, end it."""
    with running(Path(sys.argv[1]), skills=[SKILLS]) as platform:
        import django  # noqa: PLC0415 -- its settings are those of the platform

        django.setup()
        broker = os.environ["REDIS_URL"].rpartition("/")[0] + "/1"
        _tell({"broker": broker})
        driven = Driven(platform.state)
        for line in sys.stdin:
            _tell(asdict(driven.run(int(line))))


class Driven:
    """A platform whose tasks are counted."""

    def __init__(self, state: State) -> None:
        self._roots = {one.name: one.identity.pid for one in state.processes}

    def run(self, tasks: int) -> Lived:
        """Some one by one, then the rest at once."""
        latencies = [_until_done(_submitted(1)) for _ in range(min(_ALONE, tasks // 2))]
        before, began = self._parts(), time.monotonic()
        ids = _submitted(tasks)
        submitting = own_seconds(psutil.Process()) - before["submit"]
        _until_done(ids)
        seconds = time.monotonic() - began
        after = self._parts()
        parts = {name: after[name] - before[name] for name in after} | {"submit": submitting}
        return Lived(tasks, seconds, sum(parts.values()), latencies, parts=parts)

    def _parts(self) -> dict[str, float]:
        """CPU seconds so far of each part of the platform, and of this process, which submits."""
        known = ("postgres", "valkey", "engine")
        used = {name: cpu_seconds([self._roots[name]]) for name in known}
        used["others"] = cpu_seconds(
            pid for name, pid in self._roots.items() if name not in (*known, NODE)
        )
        used["submit"] = own_seconds(psutil.Process())
        return used | _parts_of(psutil.Process(self._roots[NODE]))


def _parts_of(node: psutil.Process) -> dict[str, float]:
    """The node's own process, its zygote, what lives below that, and what has ended there."""
    zygotes = node.children()
    below = [p for zygote in zygotes for p in members([zygote.pid]) if p not in zygotes]
    return {
        "node": own_seconds(node) + ended_seconds(node),
        "zygote": sum(map(own_seconds, zygotes)),
        "lookers": sum(own_seconds(p) + ended_seconds(p) for p in below),
        "sessions": sum(map(ended_seconds, zygotes)),
    }


def _submitted(tasks: int) -> list[UUID]:
    """So many tasks, in one transaction."""
    from django.db import transaction  # noqa: PLC0415 -- needs the platform's settings

    from autonomy.tasks.services import submit  # noqa: PLC0415

    who = "person:bench"
    with transaction.atomic():
        return [
            submit("idle.nothing", {}, origin=who, requested_by=who).task_id for _ in range(tasks)
        ]


def _until_done(ids: list[UUID]) -> float:
    """Seconds until all are done and verified; raises RuntimeError where one ends otherwise."""
    began = time.monotonic()
    states: Mapping[str, int] = {}
    while time.monotonic() < began + _PATIENCE_SECONDS:
        states = _states(ids)
        if states.keys() == {"done"}:
            return time.monotonic() - began
        if states.keys() & {"failed", "held", "cancelled"}:
            break
        time.sleep(_LOOK_SECONDS if len(ids) > 1 else _LOOK_SECONDS / 10)
    raise RuntimeError(f"not every task was done: {states}")


def _states(ids: list[UUID]) -> Mapping[str, int]:
    from django.db.models import Count  # noqa: PLC0415

    from autonomy.tasks.models import Task  # noqa: PLC0415

    chosen = Task.objects.filter(id__gte=min(ids), id__lte=max(ids)).order_by()
    return dict(chosen.values_list("state").annotate(Count("id")))


def _tell(shape: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(shape) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
