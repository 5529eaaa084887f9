"""`repo.survey`: asks for what makes sense in a repository, and says why not for the rest."""

from typing import Any
from uuid import uuid5

import pytest

from autonomy.sessions.orders import End
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, Session

TESTED = {"lib.py": "x = 1\n", "tests/test_lib.py": "def test_it(): pass\n"}
WITHOUT_TESTS = ["lint", "metrics", "report"]


@pytest.fixture
def survey(driver: Driver, make_origin: MakeOrigin) -> Any:
    def run(files: dict[str, str]) -> Session:
        origin = make_origin(files)
        return driver.run(
            "repo.survey", origin=str(origin.path), branch="main", commit=origin.commit
        )

    return run


def keys(session: Session) -> list[str]:
    return [submission["key"] for submission in session.submitted]


def test_a_tested_repository_gets_the_whole_graph(survey: Any) -> None:
    session = survey(TESTED)

    wanted = {s["key"]: (s["skill"], s["depends_on"]) for s in session.submitted}
    assert wanted == {
        "lint": ("repo.lint", []),
        "metrics": ("repo.metrics", []),
        "prepare": ("repo.prepare", []),
        "test": ("repo.test", ["prepare"]),
        "fix": ("repo.fix", ["lint", "test"]),
        "test_fix": ("repo.test", ["prepare", "fix"]),
        "report": ("repo.report", ["lint", "metrics", "prepare", "test", "fix", "test_fix"]),
        "merge": ("repo.merge", ["fix", "test_fix", "report"]),
    }
    assert [s["key"] for s in session.submitted if s["always_run"]] == ["report"]
    assert session.result["submitted"]["lint"] == str(uuid5(session.order.task_id, "lint"))


def test_what_is_not_known_yet_is_asked_for_by_reference(survey: Any) -> None:
    args = {s["key"]: s["args"] for s in survey(TESTED).submitted}

    assert args["fix"]["tests"] == {"$ref": "test", "path": "outcome"}
    assert args["test_fix"]["commit"] == {"$ref": "fix", "path": "commit"}
    assert args["merge"]["commit"] == {"$ref": "fix", "path": "commit"}
    assert args["merge"]["tests"] == {"$ref": "test_fix", "path": "outcome"}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"lib.py": "x = 1\n"}, "there are no tests"),
        ({}, "there are no tests"),
        ({"a.txt": "no code\n"}, "there are no tests"),
        ({**TESTED, ".steward.toml": "test = false"}, "no tests are to be run"),
        (
            {**TESTED, "pyproject.toml": "[tool.steward]\ntest = false"},
            "no tests are to be run",
        ),
        (
            {**TESTED, "pyproject.toml": '[project]\nrequires-python = ">=4"'},
            "the project wants Python >=4",
        ),
        ({"vendor/tests/test_x.py": "", ".venv/lib/test_y.py": ""}, "there are no tests"),
    ],
)
def test_without_tests_that_may_be_run_no_fix_is_asked_for(
    survey: Any, files: dict[str, str], why: str
) -> None:
    session = survey(files)

    assert keys(session) == WITHOUT_TESTS
    assert why in session.result["why_no_fix"]
    assert session.submitted[-1]["args"]["why_no_fix"] == session.result["why_no_fix"]


def test_a_steward_file_can_allow_tests_and_no_fix(survey: Any) -> None:
    session = survey({**TESTED, ".steward.toml": "fix = false"})

    assert keys(session) == ["lint", "metrics", "prepare", "test", "report"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('tests = ["../elsewhere"]', "tests.0: "),
        ('tests = ["--collect-only"]', "tests.0: "),
        ('tests = ["/etc"]', "tests.0: "),
        ("tests = 3", "tests: "),
        ("testes = true", "testes: "),
        ("test_seconds = 100000", "test_seconds: "),
        ("test = ", ".steward.toml: Invalid value"),
    ],
)
def test_a_steward_file_that_cannot_be_meant_is_named(survey: Any, text: str, named: str) -> None:
    report = survey({**TESTED, ".steward.toml": text}).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert named in report.error
    assert ".steward.toml" in report.error


@pytest.mark.parametrize(
    ("files", "runner", "paths"),
    [
        ({"test_a.py": "import unittest"}, "unittest", ["test_a.py"]),
        ({"pkg/tests/test_a.py": ""}, "unittest", ["pkg/tests"]),
        ({"tests/test_a.py": "", "conftest.py": ""}, "pytest", ["tests"]),
        ({"tests/test_a.py": "", "pytest.ini": "[pytest]\ntestpaths = tests"}, "pytest", []),
        ({"tests/test_a.py": "", "tox.ini": "[pytest]\n"}, "pytest", ["tests"]),
        ({"tests/test_a.py": "", "setup.cfg": "[tool:pytest]\n"}, "pytest", ["tests"]),
        ({"tests/test_a.py": "", "requirements-test.txt": "pytest>=7"}, "pytest", ["tests"]),
    ],
)
def test_the_runner_and_the_places_of_tests_are_found(
    survey: Any, files: dict[str, str], runner: str, paths: list[str]
) -> None:
    found = survey(files).result["tests"]

    assert (found["runner"], found["paths"]) == (runner, paths)


def test_the_detector_reports_a_head_once_and_reads_files_only(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin(TESTED)

    [finding] = driver.detect("repo_changed", origin=str(origin.path), branch="main")

    assert finding["skill"] == "repo.survey"
    assert finding["args"]["commit"] == origin.commit
    assert finding["once"]
    assert finding["dedupe_key"].endswith(f"@{origin.commit}")
    assert driver.detect("repo_changed", origin=str(origin.path), branch="other") == []


def test_the_detector_is_declared_without_network(driver: Driver) -> None:
    declaration = driver.skills["repo_changed"].declaration

    assert (declaration["network"], declaration["read"]) == (False, ["{origin}"])
