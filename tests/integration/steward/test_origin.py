"""Where an origin comes from, and what is said of sources that cannot be one."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from steward.origin import prepare_origin
from steward.sdist import WrongHash
from steward.sources import BadSource, EmptyRepository, NoRepository, Unreachable
from tests.integration.steward.driving import git, repository
from tests.integration.steward.index import Index, package_index, sdist

FILES = {"lib-1.0/lib.py": "x = 1\n", "lib-1.0/tests/test_lib.py": "def test(): pass\n"}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with package_index() as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


def fingerprint(folder: Path) -> str:
    """A hash over everything in a folder, times included."""
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        seen.update(f"{path} {stat.st_mode} {stat.st_mtime_ns} ".encode() + content)
    return seen.hexdigest()


def test_a_path_is_copied_and_never_written(tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"}, branch="trunk")
    (source / "not committed.py").write_text("y = 2\n")
    before = fingerprint(source)

    origin = prepare_origin(str(source), tmp_path / "made")

    assert origin.path == tmp_path / "made" / "origin.git"
    assert (origin.branch, origin.commit) == ("trunk", git(source, "rev-parse", "HEAD"))
    assert git(origin.path, "ls-tree", "--name-only", "trunk") == "a.py"
    assert fingerprint(source) == before
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["origin.git"]


def test_an_origin_stands_alone_when_its_source_is_gone(tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"})
    origin = prepare_origin(str(source), tmp_path)
    source.rename(tmp_path / "away")

    assert git(origin.path, "fsck", "--strict") == ""
    assert git(origin.path, "show", "main:a.py") == "x = 1"


@pytest.mark.parametrize("kind", ["worktree", "bare", "detached", "url"])
def test_every_kind_of_repository_is_taken(tmp_path: Path, kind: str) -> None:
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"})
    commit, given = git(source, "rev-parse", "HEAD"), str(source)
    if kind == "worktree":
        git(source, "worktree", "add", "-q", "-b", "main2", str(tmp_path / "tree"))
        given = str(tmp_path / "tree")
    elif kind == "bare":
        git(tmp_path, "clone", "-q", "--bare", str(source), "bare")
        given = str(tmp_path / "bare")
    elif kind == "detached":
        git(source, "checkout", "-q", "--detach")
    else:
        given = f"file://{source}"

    assert prepare_origin(given, tmp_path / "made").commit == commit


def test_hooks_of_the_source_are_neither_run_nor_copied(tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"})
    for name in ("post-checkout", "reference-transaction", "post-update"):
        hook = source / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    git(source, "config", "core.fsmonitor", f"touch {tmp_path}/ran")
    git(source, "config", "uploadpack.packObjectsHook", f"touch {tmp_path}/ran;")

    origin = prepare_origin(str(source), tmp_path)

    assert not (tmp_path / "ran").exists()
    assert not (origin.path / "hooks").exists()


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("/no/such/folder", NoRepository, "there is no folder /no/such/folder; give a path"),
        ("{tmp}", NoRepository, "is no git repository; run `git init`"),
        ("{tmp}/empty", EmptyRepository, "stands on no commit; make one there first"),
        ("ext::sh -c whoami", NoRepository, "there is no folder"),
        ("--upload-pack=touch", NoRepository, "there is no folder"),
        ("../../etc==1", NoRepository, "there is no folder"),
        ("https://u:secret@127.0.0.1:9/x.git", Unreachable, "https://127.0.0.1:9/x.git"),
        ("ssh://-oProxyCommand=touch/x", Unreachable, "check the address"),
    ],
)
def test_a_bad_source_is_named_with_the_next_step(
    tmp_path: Path, source: str, error: type[BadSource], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")

    with pytest.raises(error) as caught:
        prepare_origin(source.format(tmp=tmp_path), tmp_path / "made")

    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "made" / "origin.git").exists()


def test_a_folder_inside_another_repository_is_not_taken_for_it(tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"sub/a.py": "x = 1\n"})

    with pytest.raises(NoRepository):
        prepare_origin(str(source / "sub"), tmp_path / "made")


def test_an_origin_is_never_made_twice_in_a_folder(tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"})
    prepare_origin(str(source), tmp_path / "made")

    with pytest.raises(BadSource, match="holds an origin already"):
        prepare_origin(str(source), tmp_path / "made")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    source = repository(tmp_path / "source", {"a.py": "x = 1\n"})

    with pytest.raises(BadSource, match="no origin can be made in"):
        prepare_origin(str(source), tmp_path / "file")


def test_a_release_becomes_the_same_commit_at_any_time(tmp_path: Path, index: Index) -> None:
    index.release("lib", "1.0", sdist(FILES))

    first = prepare_origin("lib==1.0", tmp_path / "one")
    time.sleep(1.1)
    second = prepare_origin("LIB==1.0", tmp_path / "two")

    assert (first.branch, first.commit) == ("main", second.commit)
    listed = git(first.path, "ls-tree", "-r", "--name-only", "main").split()
    assert listed == ["lib.py", "tests/test_lib.py"]


def test_a_release_with_another_hash_than_promised_is_not_unpacked(
    tmp_path: Path, index: Index
) -> None:
    index.release("lib", "1.0", sdist(FILES), sha256="0" * 64)

    with pytest.raises(WrongHash, match="nothing was unpacked"):
        prepare_origin("lib==1.0", tmp_path)


def test_the_default_release_is_checked_against_the_hash_kept_here(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.release("lib", "1.0", sdist(FILES))
    monkeypatch.setattr("steward.origin.DEFAULT", "lib==1.0")

    with pytest.raises(WrongHash, match="6928b1fa"):
        prepare_origin("lib==1.0", tmp_path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("lib==2.0", "no source distribution of lib==2.0; choose another"),
        ("libb==1.0", "the index knows no project 'libb'; check the spelling"),
    ],
)
def test_an_unknown_release_is_named(tmp_path: Path, index: Index, source: str, said: str) -> None:
    index.release("lib", "1.0", sdist(FILES))

    with pytest.raises(BadSource, match=said):
        prepare_origin(source, tmp_path)


def test_an_index_that_is_ill_or_away_is_unreachable(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.broken = True
    with pytest.raises(Unreachable, match="answered 500; try again later"):
        prepare_origin("lib==1.0", tmp_path)

    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://u:secret@127.0.0.1:9")
    with pytest.raises(Unreachable, match="check the network") as caught:
        prepare_origin("lib==1.0", tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["../../evil.py", "/etc/evil.py", "lib-1.0/../../evil.py"])
def test_a_release_that_writes_outside_is_refused(tmp_path: Path, index: Index, name: str) -> None:
    index.release("lib", "1.0", sdist({**FILES, name: "evil"}))

    with pytest.raises(BadSource, match="leads out of the folder"):
        prepare_origin("lib==1.0", tmp_path / "made")
    assert not list(tmp_path.rglob("evil.py"))


def test_links_in_a_release_are_left_out(tmp_path: Path, index: Index) -> None:
    links = {"lib-1.0/etc": "/etc", "lib-1.0/passwd": "../../../etc/passwd"}
    index.release("lib", "1.0", sdist(FILES, links))

    origin = prepare_origin("lib==1.0", tmp_path)

    listed = git(origin.path, "ls-tree", "-r", "--name-only", "main").split()
    assert listed == ["lib.py", "tests/test_lib.py"]


def test_what_is_no_archive_is_refused(tmp_path: Path, index: Index) -> None:
    index.release("lib", "1.0", b"no archive")

    with pytest.raises(BadSource, match="cannot be unpacked"):
        prepare_origin("lib==1.0", tmp_path)
