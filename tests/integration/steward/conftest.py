"""A pool that has loaded the steward, origins made from small repositories, an environment."""

import importlib.metadata
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.steward.driving import STEWARD, Driver, repository

sys.path.insert(0, str(STEWARD.parent))

from steward.origin import Origin, prepare_origin

MakeOrigin = Callable[[Mapping[str, str]], Origin]


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder that sessions can reach."""
    with tempfile.TemporaryDirectory(prefix="autonomy-steward-") as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()


@pytest.fixture(scope="session")
def driver(home: Path) -> Iterator[Driver]:
    """A pool with the steward's skills."""
    driver = Driver(home / "sessions")
    try:
        assert not driver.pool.problems
        yield driver
    finally:
        driver.close()


@pytest.fixture
def tmp_path(home: Path) -> Path:
    """A folder of one test that sessions can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(dir=home))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def make_origin(home: Path) -> MakeOrigin:
    """Makes an origin from the files of its only commit."""

    def make(files: Mapping[str, str]) -> Origin:
        folder = Path(tempfile.mkdtemp(dir=home))
        folder.chmod(0o755)
        return prepare_origin(str(repository(folder / "source", files)), folder)

    return make


@pytest.fixture(scope="session")
def prepared(home: Path) -> dict[str, Any]:
    """What `repo.prepare` would leave, made from the wheels this test itself runs with."""
    packed = home / "environment.tar"
    with tarfile.open(packed, "w") as tar:
        for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
            for file in importlib.metadata.files(name) or []:
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    tar.add(str(file.locate()), arcname=str(file))
    return {
        "task_id": "00000000-0000-7000-8000-000000000001", "key": "prepare", "attempts": 1,
        "skill": "repo.prepare", "state": "done", "verdict": "verified", "reason": "", "node": "n1",
        "seconds": 1.0, "artifacts": {"environment.tar": str(packed)},
        "result": {"commit": "", "installed": ["pytest==9"], "left_out": [], "sha256": ""},
    }  # fmt: skip
