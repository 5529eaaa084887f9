"""The everyday skills in real sessions: `python -m pytest examples/everyday/tests`."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.testing import Bench, serving

SKILLS = Path(__file__).parents[1]
NOW = "2026-06-15T12:00:00Z"
MAY = 1_778_000_000
JUNE = 1_781_400_000


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench(SKILLS) as running:
        assert running.problems == {}
        yield running


@pytest.fixture
def box(bench: Bench) -> Path:
    """A folder with an old file and a new one."""
    for name, changed in (("old letter.txt", MAY), ("new.txt", JUNE)):
        os.utime(bench.outside(name, name), (changed, changed))
    folder = bench.outside("x").parent
    (folder / "x").unlink()
    folder.chmod(0o777)
    return folder


def test_old_files_are_moved_to_their_month_and_new_ones_stay(bench: Bench, box: Path) -> None:
    tried = bench.run("folder.tidy", folder=str(box), today=NOW)

    assert tried.verdict == "verified", tried.why
    assert (box / "2026-05" / "old letter.txt").read_text() == "old letter.txt"
    assert (box / "new.txt").exists()


def test_a_folder_without_old_files_is_left_alone(bench: Bench, box: Path) -> None:
    assert bench.run("folder.tidy", folder=str(box), today=NOW, days=400).state == "rejected"


def test_a_file_that_is_still_there_is_not_tidied(bench: Bench, box: Path) -> None:
    tried = bench.run("folder.tidy", folder=str(box), today=NOW)
    (box / "old letter.txt").write_text("back again")

    assert bench.verify(tried).verdict == "refuted"


def test_a_file_is_packed_and_can_be_unpacked(bench: Bench, box: Path) -> None:
    tried = bench.run("files.compress", folder=str(box), name="old letter.txt")

    assert tried.verdict == "verified", tried.why
    assert gzip.decompress((box / "old letter.txt.gz").read_bytes()) == b"old letter.txt"


def test_a_file_that_is_not_there_is_not_packed(bench: Bench, box: Path) -> None:
    assert bench.run("files.compress", folder=str(box), name="--help").state == "rejected"


def test_a_page_is_verified_when_it_answers_the_same_again() -> None:
    with serving({"/index.html": (200, b"<p>Hello</p>")}) as service:
        with Bench(SKILLS, instead={"https://example.com": service.url}) as bench:
            good = bench.run("site.look")
        service.answers = [(200, {}, b"one"), (200, {}, b"another")]
        with Bench(SKILLS, instead={"https://example.com": service.url}) as bench:
            changed = bench.run("site.look")

    assert (good.verdict, changed.verdict) == ("verified", "refuted")
