"""The arms of the comparison: each runs a number of tasks, and says what that took."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bench.usage import cpu_seconds


@dataclass(frozen=True)
class Round:
    """What a number of tasks took. Seconds; `latencies` are those of single tasks, one by one."""

    tasks: int
    seconds: float
    cpu_seconds: float
    latencies: list[float] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    """Until the first line of the task was reached."""


class Arm(Protocol):
    """One way to run tasks."""

    @property
    def name(self) -> str:
        """As it stands in the table."""

    @property
    def share(self) -> float:
        """How many tasks it runs in a round, as a share of the sessions."""

    def run(self, tasks: int) -> Round:
        """Run so many."""


@dataclass(frozen=True)
class Processes:
    """One process after the other, made by a function that waits for its end."""

    name: str
    share: float
    make: Callable[[], None]

    def run(self, tasks: int) -> Round:
        """Make so many processes."""
        latencies = []
        began = cpu_seconds([os.getpid()])
        for _ in range(tasks):
            before = time.monotonic()
            self.make()
            latencies.append(time.monotonic() - before)
        used = cpu_seconds([os.getpid()]) - began
        return Round(tasks, sum(latencies), used, latencies)


def programs() -> Processes:
    """A fresh interpreter for each task: what a script costs that is begun by a shell or cron."""
    command = [sys.executable, "-c", "pass"]
    return Processes("python -c pass", 0.1, lambda: _checked(subprocess.run(command, check=False)))


class Forks:
    """`os.fork` and nothing else, in a process that has loaded no more than it needs."""

    name = "os.fork, small process"
    share = 2.0

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, tasks: int) -> Round:
        """Have so many forks made, one after the other."""
        before, began = cpu_seconds([self._process.pid]), time.monotonic()
        self._ask(tasks)
        seconds = time.monotonic() - began
        used = cpu_seconds([self._process.pid]) - before
        return Round(tasks, seconds, used, [seconds / tasks])

    def _ask(self, tasks: int) -> None:
        hears, tells = self._process.stdout, self._process.stdin
        if hears is None or tells is None:
            raise RuntimeError("the forking process has no pipes")
        tells.write(f"{tasks}\n")
        tells.flush()
        if hears.readline().strip() != "done":
            raise RuntimeError("the forking process ended")


class LoadedForks(Forks):
    """The same in a process that has loaded what a zygote has: no session can be cheaper."""

    name = "os.fork, loaded as a zygote"
    share = 1.0


FORKING = """
import gc, os, sys
gc.collect(); gc.freeze()
for line in iter(sys.stdin.readline, ""):
    for _ in range(int(line)):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    print("done", flush=True)
"""

LOADING = """
from pathlib import Path
import autonomy.sessions.zygote
from autonomy.sessions.loading import loaded
loaded((Path({folder!r}),))
"""


@contextmanager
def forks(kind: type[Forks], program: str) -> Iterator[Forks]:
    """A process that forks when it is asked to."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield kind(process)
        if process.stdin:
            process.stdin.close()


def _checked(done: subprocess.CompletedProcess[bytes]) -> None:
    if done.returncode:
        raise RuntimeError(f"a process ended with {done.returncode}")
