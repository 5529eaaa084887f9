"""Homes that other users can enter, and benches that are shared by the tests of a file."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.isolation import Rung
from autonomy.sessions import folders, isolation
from tests.integration.sessions.bench import STRANGER, Bench

ROOT = Path(__file__).parents[3]
linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="sessions are cut off on Linux only"
)


@pytest.fixture(scope="session")
def found() -> isolation.Isolation:
    """What this machine allows."""
    return isolation.detect()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the users of sessions can pass through, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="sessions-"))
    made.chmod(0o755)
    yield made
    folders.remove(made)


@pytest.fixture(scope="module")
def bench(home: Path) -> Iterator[Bench]:
    """Sessions as they are by default: each with a user of its own where that can be."""
    with Bench(home, patience=1) as running:
        yield running


def as_stranger(home: Path, plans: dict[str, dict[str, Any]], strongest: int) -> dict[str, Any]:
    """What comes of the plans where the whole node runs as an ordinary user."""
    if os.getuid() != 0:
        pytest.skip("the tests themselves run as an ordinary user")
    return dict(_elsewhere(home, plans, strongest=strongest)["found"])


def as_ordinary_user(
    home: Path, plans: dict[str, dict[str, Any]], strongest: int
) -> dict[str, Any]:
    """The same, where the tests themselves may run as one."""
    return dict(_elsewhere(home, plans, strongest=strongest)["found"])


def contained(home: Path, plans: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The same in a container as most are: no user makes namespaces there."""
    return _elsewhere(home, plans, contained=True)


def _elsewhere(home: Path, plans: dict[str, dict[str, Any]], *, strongest: int = Rung.SYSCALLS,
               contained: bool = False) -> dict[str, Any]:  # fmt: skip
    """What comes of the plans in a process of its own, as an ordinary user."""
    who: dict[str, Any] = {}
    if os.getuid() == 0:
        os.chown(home, STRANGER, STRANGER)
        who = {"user": STRANGER, "group": STRANGER, "extra_groups": []}
    plan = {"home": str(home), "plans": plans, "strongest": strongest, "contained": contained}
    answer = subprocess.run(
        [sys.executable, "-m", "tests.integration.sessions.bench"],
        input=json.dumps(plan).encode(),
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        **who,
    )
    return dict(json.loads(answer.stdout))
