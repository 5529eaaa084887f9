"""The main job, run as a user runs it, and the processes it consists of."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

AUTONOMY = Path(sys.executable).with_name("autonomy")
NODES = ("n1", "n2", "n3")
PATIENCE = 240.0
SKILLS = Path(__file__).parents[2] / "examples" / "steward"


@dataclass(frozen=True)
class Run:
    """How a run of the main job ended."""

    exit: int
    said: str
    last: dict[str, Any]

    def outcomes(self) -> dict[str, str]:
        """Task → state and verdict."""
        return {
            task["key"] or task["skill"]: f"{task['state']} {task['verdict']}"
            for task in self.last["tasks"]
        }


@dataclass(frozen=True)
class MainJob:
    """The main job on a home and a repository of its own."""

    home: Path
    repository: Path

    @contextmanager
    def started(self, approve: str = "yes") -> Iterator["subprocess.Popen[str]"]:
        """Start it; whatever still runs at the end is ended."""
        process = subprocess.Popen(
            # Whoever runs the tests in the background has signals ignored; a user's shell has not.
            ["env", "--default-signal", AUTONOMY, "demo"],
            env=self.environment() | {"REPO": str(self.repository), "APPROVE": approve},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=30)
            self.autonomy("down")

    def said(self, process: "subprocess.Popen[str]", *words: str) -> str:
        """What it has said up to the first line with all the words: its own run has come so far."""
        heard = ""
        for line in process.stdout or ():
            heard += line
            if all(word in line for word in words):
                return heard
        raise AssertionError(heard)

    def finish(self, process: "subprocess.Popen[str]") -> Run:
        """Wait for its end."""
        said, _ = process.communicate(timeout=PATIENCE)
        last = self.home / "steward" / "last.json"
        assert last.exists(), said
        return Run(process.returncode, said, json.loads(last.read_text()))

    def autonomy(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command on the same home."""
        return subprocess.run(
            [AUTONOMY, *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """What a user's shell has: nothing that names the servers or settings of the tests."""
        ours = ("AUTONOMY_", "DJANGO_", "PYTEST_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"AUTONOMY_HOME": str(self.home)}

    def setting(self, name: str) -> str:
        """A setting of the platform as its commands know it; raises LookupError before a start."""
        for path in (self.home / "run").glob("*.json"):
            kept = json.loads(path.read_text())
            if name in kept.get("settings", {}):
                return str(kept["settings"][name])
        raise LookupError(name)

    def process(self, name: str) -> psutil.Process:
        """A process of the platform by its name; raises LookupError while it does not run."""
        state = json.loads((self.home / "run" / "state.json").read_text())
        pids = {row["name"]: row["identity"]["pid"] for row in state["processes"]}
        return psutil.Process({**pids, "supervisor": state["supervisor"]["pid"]}[name])

    def testing(self) -> tuple[psutil.Process, psutil.Process] | None:
        """The session that runs the repository's tests, and its node; None while there is none."""
        for name in NODES:
            try:
                node = self.process(name)
                for session in _sessions(node):
                    if any(
                        "pytest" in below.cmdline() for below in session.children(recursive=True)
                    ):
                        return session, node
            except (OSError, LookupError, psutil.Error):
                continue  # it starts, or ends, just now
        return None


def _sessions(node: psutil.Process) -> list[psutil.Process]:
    """What the zygote of a node has forked."""
    zygotes = [z for z in node.children() if "autonomy.sessions.zygote" in z.cmdline()]
    return [session for zygote in zygotes for session in zygote.children()]


def until(holds: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait until something holds; fails after that many seconds."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError(f"it did not come to be within {seconds} s")
        time.sleep(0.1)


def kill_tree(process: psutil.Process) -> None:
    """`kill -9` of a process and all below it."""
    for one in [*process.children(recursive=True), process]:
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
