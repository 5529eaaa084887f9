"""Making, measuring and removing the folders of sessions."""

import os
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from autonomy.sessions import landlock
from autonomy.sessions.disk import Disk
from autonomy.sessions.folders import fresh, remove
from autonomy.sessions.grants import opened_itself, scoped
from autonomy.sessions.refusal import Refused


def test_a_fresh_folder_is_empty_and_private(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "a" / "b")

    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        fresh(folder)


def test_a_folder_is_removed_however_deep_and_however_closed(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "session")
    outside = tmp_path / "outside"
    outside.write_text("stays")
    (folder / "link").symlink_to(tmp_path)
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        for _ in range(sys.getrecursionlimit() + 200):
            Path("deeper-and-deeper").mkdir()
            os.chdir("deeper-and-deeper")
        Path("file").write_text("x")
    finally:
        os.chdir(here)
        os.close(here)
    closed = folder / "closed"
    (closed / "inner").mkdir(parents=True)
    (closed / "inner" / "file").write_text("x")
    (closed / "inner").chmod(0)
    closed.chmod(0)

    remove(folder)

    assert not folder.exists()
    assert outside.read_text() == "stays"


def test_removing_what_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")


def test_everything_in_the_folders_counts(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "session")
    disk = Disk([str(folder)], 1_000_000)
    quiet = disk.crossed(1.0, [])
    for number in range(3):
        (folder / f"{number}").write_bytes(b"x" * 400_000)

    assert quiet == ""
    assert "1000000 are allowed" in disk.crossed(1_000.0, [])


def test_many_small_files_are_counted_a_few_at_a_time(tmp_path: Path) -> None:
    folder = fresh(tmp_path / "session")
    for number in range(5_000):
        (folder / f"{number}").touch()
    disk = Disk([str(folder)], 1_500_000)

    looks = (disk.crossed(1_000.0 + turn, []) for turn in range(200))
    found = list(takewhile(lambda told: not told, looks))

    assert 0 < len(found) < 200


def test_open_files_without_a_name_count_too(tmp_path: Path) -> None:
    disk = Disk([str(tmp_path)], 1_000_000)
    with (tmp_path / "unseen").open("wb") as file:
        file.write(b"x" * 2_000_000)
        file.flush()
        (tmp_path / "unseen").unlink()

        assert "on disk" in disk.crossed(1_000.0, [os.getpid()])


def test_a_folder_that_was_deleted_holds_nothing(tmp_path: Path) -> None:
    assert Disk([str(tmp_path / "gone")], 1).crossed(1_000.0, []) == ""


def test_a_scope_names_folders_with_or_without_stars(tmp_path: Path) -> None:
    names = [str(tmp_path), f"{tmp_path}/*", f"{tmp_path}/**"]

    assert scoped(names, ()) == [tmp_path.resolve()] * 3


@pytest.mark.parametrize("inside", ["", "deeper", "../vault"])
def test_a_scope_never_reaches_what_is_protected(tmp_path: Path, inside: str) -> None:
    vault = tmp_path / "vault"

    with pytest.raises(Refused, match="outside every scope"):
        scoped([str(vault / inside)], (vault,))


def test_a_link_does_not_hide_what_is_protected(tmp_path: Path) -> None:
    vault = fresh(tmp_path / "vault")
    (tmp_path / "link").symlink_to(vault)

    with pytest.raises(Refused):
        scoped([str(tmp_path / "link")], (vault,))


def test_what_became_a_link_after_it_was_looked_at_is_not_granted(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "inbox").mkdir()
    (looked_at,) = scoped([str(tmp_path / "inbox")], (tmp_path / "vault",))
    (tmp_path / "inbox").rmdir()
    (tmp_path / "inbox").symlink_to(tmp_path / "vault")

    with pytest.raises(Refused, match="became a link"):
        opened_itself(looked_at, landlock.READ)
