import shutil
import subprocess
from pathlib import Path

import pytest

from autonomy.sdk import Verdict
from autonomy.verification import NoSuchRepository, commit_of, ref_contains, ref_is
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


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository: `main` is two commits long, `side` leaves it after the first."""
    work = tmp_path_factory.mktemp("git")
    _git(work, "init", "-q", "-b", "main")
    for branch, name in (("main", "first"), ("main", "second"), ("side", "third")):
        if branch == "side":
            _git(work, "checkout", "-q", "-b", "side", "HEAD~1")
        (work / name).write_text(name)
        _git(work, "add", ".")
        _git(work, "commit", "-q", "-m", name)
    return work / ".git"


def _git(work: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", *who, *words], cwd=work, check=True, capture_output=True, text=True
    ).stdout.strip()


def _commit(repository: Path, name: str) -> str:
    return _git(repository, "rev-parse", name)


SIDE = "refs/heads/side"


def test_a_branch_contains_its_tip_and_what_came_before(repository: Path) -> None:
    first, second = _commit(repository, "main~1"), _commit(repository, "main")

    behind = ref_contains(repository, MAIN, first)

    assert (behind.verdict, behind.found) == (Verdict.VERIFIED, {"commit": second})
    assert ref_contains(repository, MAIN, second).verdict is Verdict.VERIFIED
    assert ref_contains(repository, SIDE, first).verdict is Verdict.VERIFIED


def test_a_commit_beside_or_unknown_is_not_contained(repository: Path) -> None:
    assert ref_contains(repository, SIDE, _commit(repository, "main")).verdict is Verdict.REFUTED
    assert ref_contains(repository, MAIN, _commit(repository, "side")).verdict is Verdict.REFUTED
    assert ref_contains(repository, MAIN, NEW).verdict is Verdict.REFUTED
    assert ref_contains(repository, "refs/heads/no", NEW).verdict is Verdict.REFUTED
    assert ref_contains(repository, MAIN, "main").verdict is Verdict.INCONCLUSIVE


def test_what_a_repository_configures_or_replaces_decides_nothing(
    repository: Path, tmp_path: Path
) -> None:
    forged = tmp_path / "forged"
    shutil.copytree(repository, forged)
    main, side = _commit(forged, "main"), _commit(forged, "side")
    marker = tmp_path / "ran"
    (forged / "config").write_text(
        f"[core]\n\tfsmonitor = touch {marker}\n\tsshCommand = touch {marker}\n"
        f"[alias]\n\tmerge-base = !touch {marker}\n[broken\n"
    )
    (forged / "refs/replace").mkdir()
    (forged / "refs/replace" / side).write_text(main + "\n")
    (forged / "info").mkdir(exist_ok=True)
    (forged / "info/grafts").write_text(f"{side} {main}\n")

    assert ref_contains(forged, SIDE, main).verdict is Verdict.REFUTED
    assert not marker.exists()


def test_a_history_that_is_cut_off_proves_nothing(repository: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    _git(
        tmp_path,
        "clone",
        "-q",
        "--bare",
        "--depth=1",
        "-b",
        "main",
        f"file://{repository}",
        str(shallow),
    )

    seen = ref_contains(shallow, MAIN, _commit(repository, "main~1"))

    assert (seen.verdict, seen.seen) == (Verdict.INCONCLUSIVE, "its history is cut off here")


def test_a_repository_with_longer_hashes_is_read(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256")
    for name in ("first", "second"):
        _git(tmp_path, "commit", "-q", "--allow-empty", "-m", name)

    assert ref_contains(tmp_path / ".git", MAIN, _commit(tmp_path, "main~1")).verdict == "verified"


def test_refs_that_are_kept_elsewhere_prove_nothing(git_dir: Path) -> None:
    (git_dir / "reftable").mkdir()

    assert ref_is(git_dir, MAIN, OLD).verdict is Verdict.INCONCLUSIVE
    assert ref_contains(git_dir, MAIN, NEW).verdict is Verdict.INCONCLUSIVE
