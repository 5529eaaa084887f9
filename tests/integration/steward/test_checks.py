"""`repo.lint` and `repo.metrics`: what they count, and that nobody can lie about it."""

from typing import Any

import pytest

from autonomy.sdk.scope import BadScope
from autonomy.sessions.orders import End
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, git

LIBRARY = {
    "src/lib/__init__.py": "import os\nimport sys\n\nVERSION = f'1'\n",
    "src/lib/logic.py": "def f(x):\n    if x and x > 1:\n        return 1\n    return 2\n",
    "tests/test_lib.py": "def test_it():\n    assert True\n",
}


def asked(origin: Any) -> dict[str, Any]:
    return {"origin": str(origin.path), "commit": origin.commit}


def test_findings_are_counted_by_rule_and_linted_again_to_verify(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    session = driver.run("repo.lint", **asked(make_origin(LIBRARY)))

    assert session.result["by_rule"] == {"F401": 2, "F541": 1}
    assert session.result["rules"] == "E4,E7,E9,F"
    assert session.result["first"][0].startswith("src/lib/__init__.py:1: F401")
    assert len(session.artifact("findings.jsonl").read_text().splitlines()) == 3
    assert driver.verify(session)["verdict"] == "verified"


def test_a_linter_that_keeps_findings_to_itself_is_refuted(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    session = driver.run("repo.lint", **asked(make_origin(LIBRARY)))

    lie = {**session.result, "by_rule": {}, "findings": 0}
    assert driver.verify(session, lie)["verdict"] == "refuted"


def test_a_repository_is_judged_by_its_own_rules(driver: Driver, make_origin: MakeOrigin) -> None:
    files = {**LIBRARY, "pyproject.toml": '[tool.ruff.lint]\nselect = ["F541"]\n'}

    result = driver.run("repo.lint", **asked(make_origin(files))).result

    assert (result["by_rule"], result["rules"]) == ({"F541": 1}, "pyproject.toml")


def test_rules_the_linter_cannot_read_are_named(driver: Driver, make_origin: MakeOrigin) -> None:
    files = {**LIBRARY, "ruff.toml": "select = 3\n"}

    report = driver.run("repo.lint", **asked(make_origin(files))).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert "ruff.toml" in report.error


def test_a_syntax_error_is_a_finding_and_not_a_failure(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin({"good.py": "x = 1\n", "bad.py": "def f(:\n"})
    linted = driver.run("repo.lint", **asked(origin))
    measured = driver.run("repo.metrics", **asked(origin))

    assert linted.result["by_rule"]["invalid-syntax"] >= 1
    assert measured.result["unreadable"][0].startswith("bad.py: line 1")
    assert measured.result["lines"] == 2
    assert driver.verify(linted)["verdict"] == driver.verify(measured)["verdict"] == "verified"


def test_size_and_complexity_are_counted_and_recounted_by_git(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    session = driver.run("repo.metrics", **asked(make_origin(LIBRARY)))

    assert session.result["files"] == session.result["python_files"] == 3
    assert session.result["lines"] == 10
    assert session.result["most_complex"][0] == "src/lib/logic.py:1 f: 3"
    assert driver.verify(session)["verdict"] == "verified"


@pytest.mark.parametrize("field", ["files", "python_files", "lines"])
def test_a_wrong_count_is_refuted(driver: Driver, make_origin: MakeOrigin, field: str) -> None:
    session = driver.run("repo.metrics", **asked(make_origin(LIBRARY)))

    lie = {**session.result, field: session.result[field] + 1}
    assert driver.verify(session, lie)["verdict"] == "refuted"


def test_attributes_of_the_repository_change_neither_bytes_nor_counts(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    attributes = "*.py filter=evil diff=evil binary\n*.py export-ignore\n"
    origin = make_origin({**LIBRARY, ".gitattributes": attributes})
    git(origin.path, "config", "filter.evil.smudge", "touch /tmp/never")
    session = driver.run("repo.metrics", **asked(origin))

    assert driver.run("repo.lint", **asked(origin)).result["findings"] == 3
    assert driver.verify(session)["verdict"] == "verified"


def test_a_commit_that_is_not_there_fails_for_good(driver: Driver, make_origin: MakeOrigin) -> None:
    origin = make_origin(LIBRARY)

    report = driver.run("repo.metrics", origin=str(origin.path), commit="1" * 40).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert "not a tree object" in report.error


@pytest.mark.parametrize(
    "bad",
    [
        {"commit": "--output=/etc/passwd"},
        {"commit": "main"},
        {"origin": "/etc"},
    ],
)
def test_an_argument_that_could_be_taken_for_something_else_is_refused(
    driver: Driver, make_origin: MakeOrigin, bad: dict[str, Any]
) -> None:
    origin = make_origin(LIBRARY)

    order = {**asked(origin), **bad}
    report = driver.run("repo.lint", **order).report

    assert report.ended in (End.FAILED, End.REFUSED)
    assert report.error_class == "permanent"


def test_an_origin_that_is_no_absolute_path_has_no_scope(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    with pytest.raises(BadScope, match="no absolute path"):
        driver.run("repo.lint", **{**asked(make_origin(LIBRARY)), "origin": "relative.git"})
