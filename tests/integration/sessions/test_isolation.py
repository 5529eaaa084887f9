"""What a session cannot see, read, write or reach (C-17, C-18)."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.isolation import Rung
from autonomy.sessions import isolation, variables
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.orders import End
from tests.integration.sessions.bench import BEHAVIOURS, STRANGER, Bench
from tests.integration.sessions.conftest import (
    ROOT,
    as_ordinary_user,
    linux_only,
)

pytestmark = linux_only

OUTSIDE = ROOT / "pyproject.toml"
"""What everybody may read, and no session is given."""


@pytest.fixture(autouse=True)
def _enough(found: Isolation) -> None:
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs the whole ladder: " + "; ".join(found.facts))


def test_nothing_is_inherited(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    order = bench.order("calm.surroundings", nonce="0badcafe")

    seen = bench.reports(order)[0].result

    names = {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "PYTHONDONTWRITEBYTECODE"}
    assert seen["environment"].keys() - {"LC_CTYPE"} == names
    assert seen["stdin"] == ""
    assert len(seen["descriptors"]) == 4  # the streams, and the socket to the supervisor
    assert seen["folder"] == []
    assert seen["cwd"] == str(order.folder)
    assert seen["ids"] == [f"{order.task_id}:a", "0badcafe", "1"]


def test_a_session_has_the_user_it_was_given(bench: Bench) -> None:
    expected = STRANGER if os.getuid() == 0 else os.getuid()

    assert bench.run("calm.surroundings").result["uid"] == expected


def test_no_secret_is_in_the_zygote(bench: Bench) -> None:
    environment = Path(f"/proc/{bench.pool.pid}/environ").read_bytes().split(b"\0")

    names = {entry.partition(b"=")[0] for entry in environment if entry}
    known = (*variables.LEAN, *variables.OF_THE_ZYGOTE, *variables.OF_A_NETWORK)
    assert names <= {b"PATH", b"PYTHONPATH", b"LC_CTYPE", *(name.encode() for name in known)}


def test_nothing_a_session_changes_is_seen_by_the_next(bench: Bench) -> None:
    assert bench.run("calm.remember", args={"word": "one"}).result == ["one"]
    assert bench.run("calm.remember", args={"word": "two"}).result == ["two"]


def test_only_the_own_processes_can_be_seen(bench: Bench) -> None:
    assert bench.run("calm.processes").result == 1


@pytest.mark.parametrize("path", ["/etc/shadow", "/proc/sys/../../etc/shadow", str(OUTSIDE)])
def test_files_outside_cannot_be_read(bench: Bench, path: str) -> None:
    report = bench.run("calm.read", args={"path": path})

    assert report.ended is End.FAILED
    assert "PermissionError" in report.error


def test_the_folder_of_a_neighbour_cannot_be_read(bench: Bench) -> None:
    secret = bench.home / "secret.txt"
    secret.write_text("secret")
    secret.chmod(0o666)

    assert "PermissionError" in bench.run("calm.read", args={"path": str(secret)}).error


def test_the_scope_opens_what_it_names_and_no_more(bench: Bench) -> None:
    for name in ("open", "closed"):
        (bench.home / name).mkdir(exist_ok=True)
        (bench.home / name).chmod(0o777)
    scope = {"write": (f"{bench.home}/open/**",)}

    inside, outside = (
        bench.run("calm.write", args={"path": str(bench.home / name), "name": "a"}, scope=scope)
        for name in ("open", "closed")
    )

    assert inside.result == "a"
    assert (bench.home / "open" / "a").read_text() == "written"
    assert "PermissionError" in outside.error
    assert list((bench.home / "closed").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "why"), [("inbox/**", "absolute"), ("/no/such/folder", "cannot be granted")]
)
def test_a_scope_that_names_nothing_is_refused(bench: Bench, path: str, why: str) -> None:
    report = bench.run("calm.add", args={"left": 1}, scope={"write": (path,)})

    assert report.ended is End.REFUSED
    assert why in report.error


def test_no_scope_holds_what_is_protected(home: Path) -> None:
    vault = home / "vault"
    vault.mkdir()
    with Bench(home, protected=(vault,)) as bench:
        reports = [
            bench.run("calm.add", args={"left": 1}, scope={"read": (str(path),)})
            for path in (vault, vault / "deeper", home)
        ]

    assert [report.ended for report in reports] == [End.REFUSED] * 3
    assert "outside every scope" in reports[0].error


def test_no_scope_to_write_holds_code_that_is_run_elsewhere(home: Path) -> None:
    with Bench(home) as bench:
        for place in (BEHAVIOURS, BEHAVIOURS.parent, Path(isolation.__file__)):
            reading, writing = (
                bench.run("calm.add", args={"left": 1}, scope={kind: (str(place),)})
                for kind in ("read", "write")
            )
            assert reading.ended is End.OK
            assert writing.ended is End.REFUSED
            assert "outside every scope" in writing.error


def test_processes_of_a_session_can_share_memory(bench: Bench) -> None:
    report = bench.run("calm.share")

    assert report.result == 6, report


def test_programs_and_the_interpreter_can_be_run(bench: Bench) -> None:
    command = [sys.executable, "-c", "import ssl, pydantic; print('imported')"]

    assert bench.run("calm.shell", args={"command": command}).result == "imported\n"


def test_foreign_code_runs_where_it_can_be_cut_off(bench: Bench) -> None:
    assert bench.run("calm.foreign", foreign_code=True).result == "ran"


@pytest.mark.parametrize("strongest", [0, 1])
def test_foreign_code_is_refused_where_it_cannot(home: Path, strongest: int) -> None:
    with Bench(home, strongest=strongest) as weaker:
        report = weaker.run("calm.foreign", foreign_code=True)

    assert (report.ended, report.limit) == (End.REFUSED, "isolation")
    assert "needs isolation 2 (network)" in report.error
    assert "autonomy doctor" in report.error


@pytest.mark.parametrize("level", Rung)
def test_a_session_starts_where_what_it_needs_is_there_and_nowhere_else(
    home: Path, level: Rung
) -> None:
    with Bench(home, strongest=level) as bench:
        ended = [bench.run("calm.add", args={"left": 1}, isolation=needed).ended for needed in Rung]

    assert ended == [End.OK if needed <= level else End.REFUSED for needed in Rung]


@pytest.mark.parametrize("strongest", [Rung.NETWORK, Rung.SYSCALLS])
def test_no_file_of_the_nodes_own_user_can_be_altered(home: Path, strongest: Rung) -> None:
    theirs = home / "theirs"
    theirs.write_text("theirs")
    if os.getuid() == 0:
        os.chown(theirs, STRANGER, STRANGER)
    theirs.chmod(0o600)
    inbox = home / f"inbox-{strongest}"
    inbox.mkdir(mode=0o777)
    inbox.chmod(0o777)
    plans: dict[str, dict[str, Any]] = {
        "alters": {"component": "calm.alter", "args": {"path": str(theirs)}},
        "keeps": {"component": "calm.keep"},
        "writes": {
            "component": "calm.write",
            "args": {"path": str(inbox), "name": "a"},
            "scope": {"write": (str(inbox),)},
        },
    }

    found = as_ordinary_user(home, plans, strongest)

    assert found["alters"]["report"]["result"] == ["EROFS"] * 3
    assert theirs.stat().st_mode & 0o777 == 0o600
    assert found["keeps"]["report"]["result"] == "made"
    assert found["writes"]["report"]["result"] == "a"


def test_what_was_found_is_told_in_words(found: Isolation) -> None:
    assert found.level == Rung.SYSCALLS
    assert len(found.contains) == 4
    assert any("Landlock" in fact for fact in found.facts)
    assert Isolation.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_what_a_user_cannot_read_is_named(home: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root to become another user")
    hidden = home / "private"
    hidden.mkdir(mode=0o700)

    assert isolation.unreadable([hidden, Path("/usr")], STRANGER) == [hidden]


def test_a_user_of_its_own_needs_root(home: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("is root")
    with Bench(home) as bench:
        report = bench.run("calm.add", args={"left": 1}, uid=STRANGER)

    assert report.ended is End.REFUSED
