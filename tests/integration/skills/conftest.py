"""Project folders that the users of sessions can pass through, unlike pytest's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.sessions import folders


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A new folder that others can enter."""
    made = Path(tempfile.mkdtemp(prefix="skills-"))
    made.chmod(0o755)
    yield made
    folders.remove(made)


@pytest.fixture
def project(open_folder: Path) -> Path:
    """A folder of skills with a plain name."""
    made = open_folder / "hello"
    made.mkdir(mode=0o755)
    return made
