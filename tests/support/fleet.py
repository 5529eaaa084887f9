"""Several nodes and the engine in processes of their own, which a test may end one by one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from autonomy.systemmap.models import Node as NodeRow
from console.host.connections import role_name
from console.host.roles import ensure_roles, grant_roles
from console.host.urls import database_of, with_login
from tests.support.nodes import ROOT
from tests.support.platform import PATIENCE, database_url

_PASSWORD = "only for tests"


@dataclass
class Fleet:
    """Processes by name."""

    environment: dict[str, str]
    log: IO[bytes]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *words: str) -> None:
        """Start a command of Django's under a name."""
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "django", *words],
            env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def start_node(self, *names: str) -> None:
        """Start nodes side by side, and wait until they have joined."""
        NodeRow.objects.filter(name__in=names).update(versions={})
        for name in names:
            self.start(name, "node", "--name", name)
        for name in names:
            self._await(name)

    def _await(self, name: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while not NodeRow.objects.filter(name=name).exclude(versions={}).exists():
            ended = self.processes[name].poll() is not None
            if ended or time.monotonic() > give_up:
                raise AssertionError(f"{name} did not join: {Path(self.log.name).read_text()}")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """End a process as a loss of power would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)

    def end(self) -> None:
        """End what is left."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(PATIENCE)


@contextmanager
def fleet(home: Path, skills: Path, *, nodes: Sequence[str], slots: int) -> Iterator[Fleet]:
    """Run nodes and the engine on the test database until the block ends."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.headless",
        "SECRET_KEY": "only for tests",
        "DATABASE_URL": database_url(),
        "REDIS_URL": os.environ["REDIS_URL"],
        "AUTONOMY_READER_URL": role_url("reader"),
        "AUTONOMY_VERIFIER_URL": role_url("verifier"),
        "AUTONOMY_HOME": str(home),
        "AUTONOMY_WORK": str(home / "work"),
        "AUTONOMY_SKILLS": str(skills),
        "AUTONOMY_SLOTS": str(slots),
    }
    with ExitStack() as stack:
        log = stack.enter_context((home / "log").open("wb"))
        running = Fleet(environment, log)
        stack.callback(running.end)
        running.start("engine", "engine")
        running.start_node(*nodes)
        yield running


def role_url(kind: str) -> str:
    """The test database as one of the roles that can only look."""
    url = database_url()
    name = role_name(database_of(url), kind)
    ensure_roles(url, {kind: _PASSWORD})
    grant_roles(url, {kind: name})
    return with_login(url, name, _PASSWORD)
