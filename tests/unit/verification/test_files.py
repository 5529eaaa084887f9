import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autonomy.sdk import Verdict
from autonomy.verification import file_contains, file_is, file_is_fresh, json_matches

SHA = hashlib.sha256(b"kept").hexdigest()


def test_a_file_with_the_promised_bytes_is_verified(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"kept")

    assert file_is(file, sha256=SHA).verdict is Verdict.VERIFIED


def test_the_right_name_with_other_bytes_is_refuted(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"other")

    assert file_is(file, sha256=SHA).verdict is Verdict.REFUTED


def test_a_missing_file_is_refuted_and_named(tmp_path: Path) -> None:
    seen = file_is(tmp_path / "report", sha256=SHA)

    assert seen.verdict is Verdict.REFUTED
    assert (seen.looked_at, seen.seen) == ("report", "No such file or directory")


def test_a_link_to_the_promised_bytes_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"kept")
    (tmp_path / "report").symlink_to(tmp_path / "elsewhere")

    assert file_is(tmp_path / "report", sha256=SHA).verdict is Verdict.REFUTED


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report")

    assert file_is(tmp_path / "report", sha256=SHA).verdict is Verdict.REFUTED


def test_a_file_from_before_the_start_is_stale(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"kept")
    now = datetime.fromtimestamp(file.stat().st_mtime, UTC)

    assert file_is_fresh(file, since=now).verdict is Verdict.VERIFIED
    assert file_is_fresh(file, since=now + timedelta(minutes=1)).verdict is Verdict.REFUTED


def test_json_is_checked_against_its_schema(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["total"]}
    file = tmp_path / "answer.json"

    file.write_text('{"total": 1}')
    assert json_matches(file, schema).verdict is Verdict.VERIFIED
    file.write_text('{"other": 1}')
    assert "'total' is a required property" in json_matches(file, schema).seen
    file.write_text("[" * 100_000)
    assert json_matches(file, schema).seen.startswith("no JSON")


def test_what_is_in_a_file_is_searched_across_the_pieces_it_is_read_in(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"." * ((1 << 20) - 3) + b"total: 12" + b"." * 100)

    assert file_contains(file, "total: 12", b".t").verdict is Verdict.VERIFIED
    assert file_contains(file, "total: 12", "total: 13").seen.endswith("no b'total: 13'")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "report").touch()

    seen = file_contains(tmp_path / "report")

    assert (seen.verdict, seen.seen) == (Verdict.REFUTED, "0 bytes")
    assert file_contains(tmp_path / "none").verdict is Verdict.REFUTED


def test_a_file_that_may_not_be_read_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report").touch(mode=0)
    script = (
        "import os, sys; from pathlib import Path;"
        "from autonomy.verification import file_is, file_contains, json_matches;"
        "os.setuid(os.getuid() or 65534); path = Path(sys.argv[1]);"
        "print(file_is(path, sha256='0').verdict, file_contains(path).verdict,"
        " json_matches(path, {}).verdict)"
    )
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)

    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "report")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout.split() == ["inconclusive"] * 3


def test_hashes_stand_in_the_evidence(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"kept")

    assert file_is(file, sha256="0" * 64).found == {"sha256": SHA}
    assert file_contains(file, "kept").found == {"sha256": SHA}
