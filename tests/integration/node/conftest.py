"""A folder that the users of sessions can reach: pytest's own is closed to them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A fresh folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="autonomy-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
