"""A node and the engine in processes of their own, as an installation runs them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from autonomy.systemmap.models import Node as NodeRow
from tests.support.platform import PATIENCE, database_url

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RealNode:
    """The processes of a node."""

    process: psutil.Process
    folder: Path
    """Where its sessions have their folders."""
    log: Path

    @property
    def zygote(self) -> psutil.Process:
        """What forks its sessions."""
        (zygote,) = (
            child
            for child in self.process.children()
            if "autonomy.sessions.zygote" in child.cmdline()
        )
        return zygote


@contextmanager
def real_node(home: Path, *skills: Path, slots: int) -> Iterator[RealNode]:
    """Run one node and the engine on the test database until the block ends."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.headless",
        "SECRET_KEY": "only for tests",
        "DATABASE_URL": database_url(),
        "REDIS_URL": os.environ["REDIS_URL"],
        "AUTONOMY_READER_URL": database_url(),
        "AUTONOMY_VERIFIER_URL": database_url(),
        "AUTONOMY_HOME": str(home),
        "AUTONOMY_WORK": str(home / "work"),
        "AUTONOMY_SKILLS": ",".join(map(str, skills)),
        "AUTONOMY_SLOTS": str(slots),
    }
    with (home / "log").open("wb") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "django", *words],
                env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
            for words in (("node", "--name", "n1"), ("engine",))
        ]  # fmt: skip
        try:
            _wait_for_node(started[0], home / "log")
            yield RealNode(
                psutil.Process(started[0].pid), home / "work" / "sessions" / "n1", home / "log"
            )
        finally:
            _end(started)


def _wait_for_node(process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while not NodeRow.objects.exclude(versions={}).exists():
        if process.poll() is not None or time.monotonic() > give_up:
            raise AssertionError(f"the node did not join: {log.read_text()}")
        time.sleep(0.05)


def _end(started: "list[subprocess.Popen[bytes]]") -> None:
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
