"""The folders of a session: private, under its own name, and never seen by another one in use."""

from pathlib import Path
from uuid import uuid4

from autonomy.node.services.folders import Folders


def test_folders_that_were_left_alone_serve_the_next_session_under_its_name(tmp_path: Path) -> None:
    first = Folders.make(tmp_path, uuid4(), None)
    place = first.work.stat().st_ino
    first.remove()
    session_id = uuid4()

    second = Folders.make(tmp_path, session_id, None)

    assert second.root == tmp_path / str(session_id)
    assert second.work.stat().st_ino == place
    assert [path.name for path in tmp_path.iterdir()] == [str(session_id)]


def test_folders_that_hold_something_are_removed(tmp_path: Path) -> None:
    folders = Folders.make(tmp_path, uuid4(), None)
    (folders.artifacts / "report").write_text("x")

    folders.remove()

    assert list(tmp_path.iterdir()) == []


def test_folders_with_files_of_other_tasks_are_removed(tmp_path: Path) -> None:
    folders = Folders.make(tmp_path, uuid4(), None)
    folders.inputs.mkdir()

    folders.remove()

    assert list(tmp_path.iterdir()) == []


def test_a_session_that_is_gone_on_with_finds_what_it_left(tmp_path: Path) -> None:
    Folders.make(tmp_path, uuid4(), None).remove()
    session_id = uuid4()
    left = Folders(tmp_path / str(session_id))
    left.work.mkdir(parents=True)
    (left.work / "notes").write_text("x")

    again = Folders.make(tmp_path, session_id, None)

    assert (again.work / "notes").read_text() == "x"
    again.remove()
    assert not again.root.exists()
