"""`repo.merge`: moves a branch from exactly there to exactly there, or not at all."""

from typing import Any
from uuid import uuid4

import pytest

from autonomy.sessions.orders import End
from autonomy.verification import commit_of
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, git

MAIN, FIX = "refs/heads/main", "refs/heads/steward/fix-1"


@pytest.fixture
def origin(make_origin: MakeOrigin) -> Any:
    return make_origin({"a.py": "import os\n"})


@pytest.fixture
def asked(origin: Any) -> dict[str, Any]:
    blob = git(origin.path, "hash-object", "-w", "--stdin")
    tree = git(origin.path, "mktree", stdin=f"100644 blob {blob}\ta.py\n".encode())
    commit = git(origin.path, "commit-tree", tree, "-p", origin.commit, "-m", "fix")
    git(origin.path, "update-ref", FIX, commit)
    return {
        "origin": str(origin.path), "branch": "main", "base": origin.commit,
        "fix_branch": "steward/fix-1", "commit": commit,
        "tests": {"green": True, "summary": "7 passed"},
    }  # fmt: skip


def commit_on(origin: Any, parent: str) -> str:
    tree = git(origin.path, "rev-parse", f"{parent}^{{tree}}")
    return git(origin.path, "commit-tree", tree, "-p", parent, "-m", "other")


def test_the_preflight_shows_the_diff_and_where_both_branches_point(
    driver: Driver, asked: dict[str, Any]
) -> None:
    answer = driver.preflight("repo.merge", **asked)

    assert answer["plan"]["go"]
    assert "\n-import os\n" in answer["plan"]["diff"]
    assert answer["reads"] == {MAIN: asked["base"], FIX: asked["commit"]}


def test_main_is_moved_to_the_fix(driver: Driver, origin: Any, asked: dict[str, Any]) -> None:
    session = driver.run("repo.merge", **asked)

    assert session.result == {"branch": "main", "old": asked["base"], "commit": asked["commit"]}
    assert commit_of(origin.path, MAIN) == asked["commit"]
    assert driver.verify(session)["verdict"] == "verified"


def test_a_merge_that_did_not_happen_is_refuted(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    session = driver.run("repo.merge", **asked)
    git(origin.path, "update-ref", MAIN, asked["base"])

    assert driver.verify(session)["verdict"] == "refuted"


def test_main_that_has_moved_meanwhile_is_not_moved_again(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    moved = commit_on(origin, asked["base"])
    git(origin.path, "update-ref", MAIN, moved)

    plan = driver.preflight("repo.merge", **asked)["plan"]
    report = driver.run("repo.merge", **asked).report

    assert not plan["go"]
    assert f"main has moved to {moved}" in plan["summary"]
    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert commit_of(origin.path, MAIN) == moved


def test_a_branch_altered_after_the_approval_is_not_merged(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    altered = commit_on(origin, asked["commit"])
    git(origin.path, "update-ref", FIX, altered)

    answer = driver.preflight("repo.merge", **asked)
    report = driver.run("repo.merge", **asked).report

    assert answer["reads"][FIX] == altered
    assert "and not to" in answer["plan"]["summary"]
    assert report.error_class == "permanent"
    assert commit_of(origin.path, MAIN) == asked["base"]


def test_a_fix_without_green_tests_is_not_merged(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    red = {**asked, "tests": {"green": False, "summary": "1 failed"}}

    assert not driver.preflight("repo.merge", **red)["plan"]["go"]
    assert driver.run("repo.merge", **red).report.error_class == "permanent"
    assert commit_of(origin.path, MAIN) == asked["base"]


def test_a_commit_that_does_not_follow_the_base_directly_is_not_merged(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    later = commit_on(origin, asked["commit"])
    git(origin.path, "update-ref", FIX, later)

    plan = driver.preflight("repo.merge", **{**asked, "commit": later})["plan"]

    assert "does not follow" in plan["summary"]


@pytest.mark.parametrize("went_on", [False, True])
def test_a_move_made_by_a_killed_attempt_is_found_and_not_repeated(
    driver: Driver, origin: Any, asked: dict[str, Any], *, went_on: bool
) -> None:
    task = uuid4()
    driver.begin(task, "merge")
    git(origin.path, "update-ref", MAIN, asked["commit"])
    if went_on:
        git(origin.path, "update-ref", MAIN, commit_on(origin, asked["commit"]))

    result = driver.run("repo.merge", task=task, **asked).result

    assert result["commit"] == asked["commit"]


def test_a_move_that_a_killed_attempt_did_not_make_is_made_once(
    driver: Driver, origin: Any, asked: dict[str, Any]
) -> None:
    task = uuid4()
    driver.begin(task, "merge")

    driver.run("repo.merge", task=task, **asked)
    again = driver.run("repo.merge", task=task, **asked)

    assert again.result["commit"] == commit_of(origin.path, MAIN) == asked["commit"]
