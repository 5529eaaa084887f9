"""Files that sessions leave are kept by their hash, in a folder or in a store that speaks S3."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.files.storage.handler import StorageHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from autonomy.domain.redaction import Redactor
from autonomy.domain.states import State
from autonomy.node.services.artifacts import MAX_FILES, ArtifactStore
from autonomy.tasks.models import Artifact, Session
from autonomy.tasks.selectors.artifacts import (
    DamagedArtifact,
    MissingArtifact,
    StorageAway,
    name_of,
    opened,
)
from autonomy.tasks.services import artifacts as sweeping
from autonomy.tasks.services.artifacts import sweep_artifacts
from autonomy.tasks.services.storage import ContentFolder
from config.artifacts import storage
from tests.support.platform import PATIENCE, platform
from tests.support.tasks import claimed, declare_skills, dispatched, join, submit

KNOWN = "a-secret-of-the-installation"
TEXT = b"what a session left\n"
HASH = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server of the S3 protocol; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        else:
            return


def at(folder: Path) -> Storage:
    """The storage that the settings of the moment name."""
    described: Any = {"artifacts": storage(folder)}
    return StorageHandler(described)["artifacts"]


def bucket(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket as an operator's settings describe it."""
    given = {"BUCKET": name, "ENDPOINT": url, "REGION": "us-east-1", "ADDRESSING": "path"}
    given |= {"ACCESS_KEY": "key-of-the-tests", "SECRET_KEY": "secret-of-the-tests"}
    for key, value in given.items():
        monkeypatch.setenv(f"AUTONOMY_ARTIFACTS_{key}", value)
    return at(Path("/not/used"))


@pytest.fixture(params=["folder", "s3"])
def kept_in(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Storage:
    """Each kind of storage in turn, empty."""
    if request.param == "folder":
        return at(tmp_path / "kept")
    url = request.getfixturevalue("s3")
    made: Any = bucket(url, f"b{time.monotonic_ns()}", monkeypatch)
    made.connection.create_bucket(Bucket=made.bucket_name)
    found: Storage = made
    return found


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder as a session leaves it."""
    folder = tmp_path / "left"
    (folder / "sub").mkdir(parents=True)
    (folder / "report.txt").write_bytes(TEXT)
    (folder / "sub" / "same.txt").write_bytes(TEXT)
    (folder / "empty").write_bytes(b"")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def test_what_is_kept_is_read_again_by_its_hash(
    kept_in: Storage, left: Path, tmp_path: Path
) -> None:
    store = ArtifactStore(kept_in)

    kept = store.keep(left, Redactor()).kept

    assert [(k.name, k.size) for k in kept] == [
        ("empty", 0), ("report.txt", len(TEXT)), ("sub/same.txt", len(TEXT)),
    ]  # fmt: skip
    assert kept[1].sha256 == kept[2].sha256 == HASH
    placed = store.place(HASH, tmp_path / "new" / "report.txt")
    assert placed.read_bytes() == TEXT
    assert kept_in.exists(name_of(HASH))


def test_keeping_the_same_again_changes_nothing(kept_in: Storage, left: Path) -> None:
    store = ArtifactStore(kept_in)
    store.keep(left, Redactor())
    store.keep(left, Redactor())

    assert kept_in.listdir(HASH[:2])[1] == [HASH[2:]]


def test_a_file_that_holds_a_secret_is_not_kept_and_it_is_said(
    kept_in: Storage, left: Path
) -> None:
    (left / "core").write_bytes(os.urandom(3_000_000) + KNOWN.encode() + os.urandom(500))

    found = ArtifactStore(kept_in).keep(left, Redactor([KNOWN]))

    assert found.withheld == ["core"]
    assert found.words() == "[core holds a secret and is not kept]\n"
    assert len(found.kept) == 3


def test_what_is_missing_or_damaged_is_named_as_such(kept_in: Storage, tmp_path: Path) -> None:
    store = ArtifactStore(kept_in)

    with pytest.raises(MissingArtifact):
        store.place(HASH, tmp_path / "none")
    kept_in.save(name_of(HASH), ContentFile(b"something else"))
    with pytest.raises(DamagedArtifact, match="damaged"):
        store.place(HASH, tmp_path / "bad")


def test_a_store_that_is_away_is_an_error_of_the_machine(
    left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = ArtifactStore(bucket("http://127.0.0.1:9", "b", monkeypatch))

    with pytest.raises(StorageAway):
        away.keep(left, Redactor())
    with pytest.raises(StorageAway):
        away.place(HASH, tmp_path / "none")


def test_nobody_ever_sees_half_a_file(tmp_path: Path) -> None:
    folder = ContentFolder(location=tmp_path)

    class Torn(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        folder.save("ab/cd", Torn(b""))

    assert list((tmp_path / "ab").iterdir()) == []


def test_files_in_a_folder_are_for_their_owner_alone(tmp_path: Path, left: Path) -> None:
    kept_in = at(tmp_path / "kept")
    ArtifactStore(kept_in).keep(left, Redactor())

    file = Path(kept_in.path(name_of(HASH)))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_only_so_many_files_are_kept(tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    for number in range(MAX_FILES + 5):
        (left / f"{number:04}").write_text(str(number))

    kept = ArtifactStore(ContentFolder(location=tmp_path / "kept")).keep(left, Redactor()).kept

    assert len(kept) == MAX_FILES


# -- what nobody names any more


@pytest.fixture
def named(db: None) -> Callable[[str], None]:
    """Names a hash in a row."""
    declare_skills(one=1)
    taken = claimed(dispatched(submit()), join())

    def name(sha256: str) -> None:
        Artifact.objects.create(
            task_id=taken.task_id, session_id=taken.session_id, name="x", sha256=sha256, size=1
        )

    return name


def test_unnamed_files_are_removed_when_they_are_old(
    kept_in: Storage, named: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeps, goes = HASH[:2] + "0" * 62, HASH[:2] + "1" * 62
    for sha256 in (keeps, goes, HASH):
        kept_in.save(name_of(sha256), ContentFile(b"x"))
    named(keeps)

    assert sweep_artifacts(kept_in, part=HASH[:2]) == 0
    monkeypatch.setattr(sweeping, "KEPT_ANYWAY", timedelta(seconds=-5))
    assert sweep_artifacts(kept_in, part=HASH[:2]) == 2
    assert kept_in.listdir(HASH[:2])[1] == [keeps[2:]]
    assert sweep_artifacts(kept_in, part="ff") == 0


def test_a_sweep_removes_a_bounded_number_in_one_statement(
    tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST_AT_ONCE", 10)
    folder = ContentFolder(location=tmp_path)
    old = (timezone.now() - timedelta(days=1)).timestamp()
    for number in range(25):
        name = folder.save(f"ab/{number:062}", ContentFile(b"x"))
        os.utime(folder.path(name), (old, old))

    with CaptureQueriesContext(connection) as queries:
        assert sweep_artifacts(folder, part="ab") == 10

    assert len(queries) == 1


# -- with a node


SKILLS = f'''
@skill(tier=1, name="leave", retries=0)
def leave(ctx: Context, well: bool) -> None:
    """Leave files, and end well or not."""
    (ctx.artifacts / "log.txt").write_text("so far")
    (ctx.artifacts / "env.txt").write_text("KEY={KNOWN}")
    if not well:
        raise ValueError("no")
'''


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("well", [True, False])
def test_what_a_session_leaves_is_kept_however_it_ends(open_folder: Path, well: bool) -> None:
    with platform(open_folder, SKILLS, known=lambda: Redactor([KNOWN])) as running:
        task = running.ended(running.submit("leave", well=well))

        assert task.state == (State.DONE if well else State.FAILED)
        kept = Artifact.objects.get(task=task)
        assert running.store.path(kept.sha256).read_text() == "so far"
    output = Session.objects.get(task=task).output
    assert output.endswith("[env.txt holds a secret and is not kept]\n")


def test_what_is_opened_here_is_what_the_settings_name(tmp_path: Path, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "artifacts": storage(tmp_path)}
    ContentFolder(location=tmp_path).save(name_of(HASH), ContentFile(TEXT))

    with opened(HASH) as file:
        assert file.read() == TEXT
