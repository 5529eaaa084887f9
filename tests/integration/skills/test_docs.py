"""Every block of the page about skills is run, as a reader would save it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autonomy.skillfiles.shape import LimitsPart, SkillFile
from autonomy.testing import Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "skills.md").read_text()
SAVED = {
    "def greet": "skills.py",
    "def receipt": "receipts.py",
    "def tidy": "tidying.py",
    "def enter": "books.py",
    "name: note.keep": "note.yaml",
    "name: config.put": "config.yaml",
    "name: issue.open": "issue.yaml",
    "from autonomy.testing": "tests/test_skills.py",
}


@pytest.fixture
def hello(project: Path) -> Path:
    """A project folder with every block of the page."""
    for words, name in SAVED.items():
        [block] = [block for block in blocks() if words in block]
        file = project / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(block)
    return project


def blocks() -> list[str]:
    return [code for _, code in re.findall(r"```(python|yaml)\n(.*?)```", PAGE, re.DOTALL)]


def test_every_block_of_the_page_is_saved_and_loaded(hello: Path) -> None:
    with Bench(hello) as bench:
        assert bench.problems == {}
        assert set(bench.skills) == {
            "skills.greet", "receipts.receipt", "tidying.tidy", "books.enter", "note.keep",
            "config.put", "issue.open",
        }  # fmt: skip
    assert len(blocks()) == len(SAVED)


def test_the_tests_of_the_page_pass(hello: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=hello, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stdout
    assert "3 passed" in answer.stdout


def test_the_receipt_takes_and_gives_what_it_declares(hello: Path) -> None:
    with Bench(hello) as bench:
        tried = bench.run("receipts.receipt", day="2026-02-03", cents=250, form="text")
        wrong = bench.run("receipts.receipt", day="soon", cents=0)

        assert tried.artifacts["2026-02-03.text"].read_text() == "2.50 "
    assert tried.result["file"].endswith("2026-02-03.text")
    assert "day: " in wrong.why
    assert "cents: " in wrong.why


def test_the_command_of_the_page_is_verified(hello: Path) -> None:
    with Bench(hello) as bench:
        tried = bench.run("note.keep", title="milk", text="$(buy) milk")

        assert tried.verdict == "verified", tried.why
        assert tried.artifacts["milk.txt"].read_text() == "$(buy) milk\n"


def test_the_script_of_the_page_shows_its_diff_and_is_verified(hello: Path) -> None:
    with Bench(hello) as bench:
        file = bench.outside("app.conf", "old\n")
        tried = bench.run("config.put", file=str(file), line="new; `id`")
        same = bench.run("config.put", file=str(file), line="new; `id`")

        assert tried.verdict == "verified", tried.why
        assert file.read_text() == "new; `id`\n"
    assert tried.plan is not None
    assert "-old\n+new; `id`\n" in tried.plan.diff
    assert same.state == "rejected"


def test_the_page_names_every_key_of_a_skill_file() -> None:
    keys = {field.alias or name for name, field in SkillFile.model_fields.items()}
    limits = set(LimitsPart.model_fields)

    assert [key for key in sorted(keys | limits) if f"`{key}`" not in PAGE] == []
