"""A folder serves another session only if nobody could tell that it was used."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.sessions.folders import fresh
from autonomy.sessions.spares import Spares

KIND = "of one user"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fresh(tmp_path / "session")


def test_a_folder_that_was_left_alone_serves_the_next_of_its_kind(folder: Path) -> None:
    spares = Spares()
    spares.given([folder])

    assert spares.give_back(KIND, [folder]) == ()
    assert spares.take("of another user") == ()
    assert spares.take(KIND) == [folder]
    assert spares.take(KIND) == ()


def _comes_and_goes(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "file").unlink()


def _replaced(folder: Path) -> None:
    folder.rename(folder.with_name("before"))
    folder.mkdir(mode=0o700)


TRACES: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: (folder / "file").touch(),
    "a folder": lambda folder: (folder / "folder").mkdir(),
    "a file that is gone again": _comes_and_goes,
    "another mode": lambda folder: folder.chmod(0o755),
    "a mark on the folder": lambda folder: os.setxattr(folder, "user.mark", b"seen"),
    "another folder in its place": _replaced,
    "nothing at all": lambda folder: folder.rmdir(),
}


@pytest.mark.parametrize("leave", TRACES.values(), ids=TRACES)
def test_a_folder_with_a_trace_in_it_is_to_be_removed(
    folder: Path, leave: Callable[[Path], object]
) -> None:
    spares = Spares()
    spares.given([folder])
    time.sleep(0.02)  # more than one tick of the kernel's clock

    leave(folder)

    assert spares.give_back(KIND, [folder]) == [folder]
    assert spares.take(KIND) == ()


def test_folders_that_were_touched_while_they_were_spare_are_not_given(folder: Path) -> None:
    spares = Spares()
    spares.given([folder])
    spares.give_back(KIND, [folder])

    (folder / "file").touch()

    assert spares.take(KIND) == ()


def test_only_so_many_are_kept_and_the_oldest_go_first(tmp_path: Path) -> None:
    spares = Spares()
    folders = [fresh(tmp_path / str(number)) for number in range(65)]
    for folder in folders:
        spares.given([folder])

    removed = [spares.give_back(KIND, [folder]) for folder in folders]

    assert [*removed[:64], list(removed[64])] == [()] * 64 + [[folders[0]]]
    assert [list(kept) for kept in spares.forget()] == [[folder] for folder in folders[1:]]
