"""`repo.test`: the tests of strangers, good and bad, in a cage."""

import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from autonomy.sessions.orders import End
from steward.origin import prepare_origin
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, Session, git, repository

GOOD = {
    "src/lib/__init__.py": "VERSION = '1'\n",
    "tests/test_lib.py": "import lib\n\ndef test_it():\n    assert lib.VERSION == '1'\n",
}


class Testing:
    """Runs the tests of a repository made from files."""

    __test__ = False

    def __init__(self, driver: Driver, make_origin: MakeOrigin, prepared: dict[str, Any]) -> None:
        self.driver, self.make_origin, self.prepared = driver, make_origin, prepared

    def __call__(self, files: dict[str, str]) -> Session:
        made = self.make_origin(files)
        return self.driver.run(
            "repo.test", upstream=(self.prepared,), origin=str(made.path), commit=made.commit
        )


@pytest.fixture
def tested(driver: Driver, make_origin: MakeOrigin, prepared: dict[str, Any]) -> Testing:
    return Testing(driver, make_origin, prepared)


def test_green_tests_are_counted_and_their_report_is_kept(driver: Driver, tested: Testing) -> None:
    session = tested(GOOD)

    assert session.result["outcome"] == {"green": True, "summary": "1 passed"}
    assert session.args["commit"] in session.artifact("junit.xml").read_text()
    assert driver.verify(session)["verdict"] == "verified"


def test_failing_tests_are_a_result_and_not_green(driver: Driver, tested: Testing) -> None:
    session = tested({**GOOD, "tests/test_bad.py": "def test_bad():\n    assert 1 == 2\n"})

    assert session.result["outcome"] == {"green": False, "summary": "1 passed, 1 failed"}
    assert session.result["failing"] == ["tests.test_bad::test_bad"]
    assert driver.verify(session)["verdict"] == "verified"


def test_a_syntax_error_in_a_test_is_an_error_and_not_green(tested: Testing) -> None:
    result = tested({**GOOD, "tests/test_bad.py": "def test_bad(:\n"}).result

    assert (result["outcome"]["green"], result["errors"]) == (False, 1)


def test_files_without_a_test_in_them_are_not_green(driver: Driver, tested: Testing) -> None:
    session = tested({"tests/test_none.py": "x = 1\n"})

    assert session.result["outcome"] == {"green": False, "summary": "no test was found"}
    assert driver.verify(session)["verdict"] == "verified"


def test_a_suite_that_knows_nothing_of_pytest_is_run_too(tested: Testing) -> None:
    case = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"

    assert tested({"test/testit.py": case}).result["passed"] == 1


def test_tests_that_hang_end_in_time_and_for_good(tested: Testing) -> None:
    hang = "import time\n\ndef test_it():\n    print('waiting', flush=True)\n    time.sleep(600)\n"
    began = time.monotonic()

    report = tested({"tests/test_hang.py": hang, ".steward.toml": "test_seconds = 3"}).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert "the tests did not end within 3 s" in report.error
    assert time.monotonic() - began < 15


def test_a_daemon_that_a_test_leaves_behind_is_ended(tested: Testing) -> None:
    mark = f"never-{time.monotonic_ns()}"
    daemon = (
        "import os, subprocess, sys\n\ndef test_it():\n"
        f"    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', '{mark}'],"
        " start_new_session=True)\n"
    )

    result = tested({"tests/test_daemon.py": daemon}).result

    assert result["outcome"]["green"]
    assert not [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or ())]


def test_tests_reach_neither_network_nor_origin_nor_the_home_of_others(
    tested: Testing, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    probe = f"""
import pathlib, socket, pytest
def test_network():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=2)
def test_secret():
    with pytest.raises(PermissionError):
        open({str(secret)!r})
def test_origin():
    with pytest.raises(OSError):
        open({str(tmp_path)!r} + "/../repository0/origin.git/HEAD", "w")
def test_platform():
    with pytest.raises(ImportError):
        import django
"""

    assert tested({"tests/test_probe.py": probe}).result["passed"] == 4


def test_a_link_out_of_the_tree_is_left_out_and_said(
    driver: Driver, prepared: dict[str, Any], tmp_path: Path
) -> None:
    look = "import os\n\ndef test_it():\n    assert os.listdir('.').count('inside') == 1\n"
    source = repository(tmp_path / "source", {"tests/test_it.py": look, "a/b/c/x": ""})
    (source / "out").symlink_to("/etc")
    (source / "inside").symlink_to("a/b")
    (source / "a/b/c/top").symlink_to("../../..")
    (source / "sly").symlink_to("a/b/c/top/..")
    _commit(source)
    origin = prepare_origin(str(source), tmp_path)

    session = driver.run(
        "repo.test", upstream=(prepared,), origin=str(origin.path), commit=origin.commit
    )

    assert session.result["outcome"]["green"]
    left_out = [said for said in session.said if said.startswith("left out")]
    assert sorted(said.rpartition(" ")[2] for said in left_out) == ["out", "sly"]


def test_a_report_that_was_written_for_another_commit_is_refuted(
    driver: Driver, tested: Testing
) -> None:
    session = tested(GOOD)
    report = session.artifact("junit.xml")
    report.write_text(report.read_text().replace(session.args["commit"], "f" * 40))

    assert driver.verify(session)["verdict"] == "refuted"


def test_a_claim_of_more_passed_tests_is_refuted(driver: Driver, tested: Testing) -> None:
    session = tested(GOOD)

    assert driver.verify(session, {**session.result, "passed": 2})["verdict"] == "refuted"


def test_tests_that_kill_their_runner_fail_for_good_with_its_last_words(tested: Testing) -> None:
    kill = "import os, signal\n\ndef test_it():\n    os.kill(os.getpid(), signal.SIGKILL)\n"

    report = tested({"tests/test_kill.py": kill}).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert "pytest ended with -9" in report.error


def test_the_configuration_of_the_repository_is_used_and_none_above_it(tested: Testing) -> None:
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['checks']\n",
        "checks/test_a.py": "def test_a(): pass\n",
        "other/test_b.py": "def test_b(): assert 0\n",
    }

    assert tested(files).result["outcome"] == {"green": True, "summary": "1 passed"}


def test_only_tests_that_the_steward_file_names_are_run(tested: Testing) -> None:
    files = {
        **GOOD,
        "slow/test_slow.py": "def test_slow(): assert 0\n",
        ".steward.toml": 'tests = ["tests"]',
    }

    assert tested(files).result["outcome"] == {"green": True, "summary": "1 passed"}


def test_a_project_can_ask_for_its_own_version(tested: Testing) -> None:
    ask = "from importlib.metadata import version\n\ndef test_v(): assert version('lib') == '2.5'\n"
    files = {"pyproject.toml": '[project]\nname = "lib"\nversion = "2.5"\n', "tests/test_v.py": ask}

    assert tested(files).result["outcome"]["green"]


def _commit(source: Path) -> None:
    git(source, "add", "-A", "-f")
    git(source, "commit", "-q", "-m", "second")
