"""The examples beside the steward pass their own tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/tests"))


def test_there_are_examples() -> None:
    assert ROOT / "examples" / "everyday" in EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_passes_its_tests(example: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "-p", "no:cacheprovider"],
        cwd=example, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stdout
