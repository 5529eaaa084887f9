"""A session that root began is nobody in particular, and stays so (P8)."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.sessions.orders import End
from autonomy.sessions.pool import SessionPool
from tests.integration.sessions.bench import STRANGER, Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = [
    linux_only,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start sessions as others"),
]

NOTHING = ["0000000000000000"]


@pytest.fixture(scope="module", params=[0, 3])
def root(home: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A node of root's, on the weakest machine and on the strongest."""
    with Bench(home, strongest=request.param) as running:
        yield running


def test_no_session_runs_as_root(root: Bench) -> None:
    for uid in (None, 0):
        report = root.run("calm.add", args={"left": 1}, uid=uid)

        assert report.ended is End.REFUSED
        assert "as root" in report.error


def test_nothing_of_root_is_left_in_a_session(root: Bench) -> None:
    seen = root.run("climbing.standing").result

    assert {name: seen[name] for name in seen if name.startswith("Cap")} == dict.fromkeys(
        ("CapPrm", "CapEff", "CapInh", "CapAmb"), NOTHING
    )
    assert set(seen["Uid"] + seen["Gid"]) == {str(STRANGER)}
    assert (seen["Groups"], seen["NoNewPrivs"]) == ([], ["1"])


def test_there_is_no_way_back_to_root(root: Bench, home: Path) -> None:
    program = home / f"id-{id(root)}"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o6755)
    ways = {"programs": [str(program)]}

    report = root.run("climbing.climb", args=ways, scope={"read": (str(program),)})

    assert report.result.pop(str(program)) == str(STRANGER)
    assert set(report.result.values()) == {"PermissionError"}, report.result


def test_what_a_session_opens_of_devices_holds_nothing(home: Path) -> None:
    there = [path for path in Path("/dev").iterdir() if not path.is_symlink()]
    devices = [path for path in there if path.is_char_device() or path.is_block_device()]
    with Bench(home) as bench:
        opened = bench.run("climbing.open_all", args={"paths": [*map(str, devices)]}).result

    assert {Path(path).name for path in opened} == {"null", "zero", "full", "random", "urandom"}


def test_no_memory_is_left_of_what_crashes(root: Bench) -> None:
    assert root.run("climbing.crash_a_child").result is False


def test_modules_that_everybody_may_change_are_not_run_as_root(home: Path) -> None:
    folder = home / "exposed"
    folder.mkdir()
    (folder / "skills.py").write_text("raise SystemExit('it was run')")
    (folder / "skills.py").chmod(0o666)
    pool = SessionPool((folder,))
    pool.start()
    try:
        (problem,) = pool.problems.values()
    finally:
        pool.close()

    assert problem.startswith("OpenToAll")
    assert f"chmod -R o-w {folder}" in problem
