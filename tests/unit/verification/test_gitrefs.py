from pathlib import Path

import pytest

from autonomy.sdk import Verdict
from autonomy.verification import NoSuchRepository, commit_of, ref_is
from autonomy.verification.gitrefs import BadRefName

OLD, NEW = "1" * 40, "2" * 40
MAIN = "refs/heads/main"


@pytest.fixture
def git_dir(tmp_path: Path) -> Path:
    (tmp_path / "refs" / "heads").mkdir(parents=True)
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "packed-refs").write_text(
        f"# pack-refs with: peeled fully-peeled sorted\n{OLD} {MAIN}\n^{NEW}\n"
    )
    return tmp_path


def test_a_packed_ref_is_read(git_dir: Path) -> None:
    assert commit_of(git_dir, MAIN) == OLD


def test_a_loose_ref_goes_before_a_packed_one(git_dir: Path) -> None:
    (git_dir / MAIN).write_text(NEW + "\n")

    assert commit_of(git_dir, MAIN) == NEW
    assert ref_is(git_dir, MAIN, NEW).verdict is Verdict.VERIFIED
    assert ref_is(git_dir, MAIN, OLD).verdict is Verdict.REFUTED


def test_a_ref_that_stands_for_another_is_followed(git_dir: Path) -> None:
    (git_dir / "refs/heads/alias").write_text("ref: refs/heads/main\n")

    assert commit_of(git_dir, "refs/heads/alias") == OLD


def test_a_missing_branch_is_absent(git_dir: Path) -> None:
    assert commit_of(git_dir, "refs/heads/other") is None
    assert ref_is(git_dir, "refs/heads/other", None).verdict is Verdict.VERIFIED


def test_a_circle_of_refs_ends(git_dir: Path) -> None:
    (git_dir / "refs/heads/a").write_text("ref: refs/heads/b")
    (git_dir / "refs/heads/b").write_text("ref: refs/heads/a")

    with pytest.raises(BadRefName, match="points to itself"):
        commit_of(git_dir, "refs/heads/a")


@pytest.mark.parametrize(
    "name", ["main", "refs/../HEAD", "refs/heads/../../x", "refs/heads/a.lock", "/etc/passwd", ""]
)
def test_a_name_that_could_leave_the_refs_is_refused(git_dir: Path, name: str) -> None:
    with pytest.raises(BadRefName):
        commit_of(git_dir, name)


def test_a_folder_without_a_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchRepository, match="holds no git repository"):
        commit_of(tmp_path, MAIN)
    assert ref_is(tmp_path, MAIN, OLD).verdict is Verdict.REFUTED
