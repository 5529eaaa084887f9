"""`repo.fix`: a branch of its own with safe fixes, shown first, and nothing else."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from autonomy.sessions.orders import End
from autonomy.verification import commit_of
from steward.origin import prepare_origin
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, git, repository

FILES = {
    "lib.py": "import os\nimport sys\n\nprint(sys.argv)\n",
    "docs/conf.py": "import json\n",
    "README.md": "hello\n",
}
GREEN = {"green": True, "summary": "7 passed"}
MAIN = "refs/heads/main"


def asked(origin: Any, **tests: Any) -> dict[str, Any]:
    return {"origin": str(origin.path), "base": origin.commit, "tests": {**GREEN, **tests}}


def branches(origin: Any) -> list[str]:
    return git(origin.path, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def test_the_preflight_shows_the_diff_and_changes_nothing(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin(FILES)

    plan = driver.preflight("repo.fix", **asked(origin))["plan"]

    assert plan["go"]
    assert (
        plan["summary"] == "mends 2 of 2 findings in 2 files; the tests were green before: 7 passed"
    )
    assert "\n-import os\n" in plan["diff"]
    assert branches(origin) == ["main"]


def test_the_fix_stands_on_a_branch_of_its_own(driver: Driver, make_origin: MakeOrigin) -> None:
    origin = make_origin(FILES)

    session = driver.run("repo.fix", **asked(origin))

    fix = session.result
    assert fix["branch"].startswith("steward/fix-")
    assert (fix["findings_before"], fix["findings_after"]) == (2, 0)
    assert commit_of(origin.path, MAIN) == origin.commit
    assert commit_of(origin.path, f"refs/heads/{fix['branch']}") == fix["commit"]
    assert git(origin.path, "rev-parse", f"{fix['commit']}^") == origin.commit
    assert git(origin.path, "diff", "--name-only", MAIN, fix["commit"]).split() == [
        "docs/conf.py",
        "lib.py",
    ]
    assert driver.verify(session)["verdict"] == "verified"


def test_a_branch_that_holds_something_else_is_refuted(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin(FILES)
    session = driver.run("repo.fix", **asked(origin))
    tree = git(origin.path, "mktree", stdin=b"")
    other = git(origin.path, "commit-tree", tree, "-p", origin.commit, "-m", "evil")
    git(origin.path, "update-ref", f"refs/heads/{session.result['branch']}", other)

    lie = {**session.result, "commit": other}
    assert driver.verify(session)["verdict"] == "refuted"
    assert driver.verify(session, lie)["verdict"] == "refuted"


def test_without_green_tests_nothing_is_mended(driver: Driver, make_origin: MakeOrigin) -> None:
    origin = make_origin(FILES)
    red = asked(origin, green=False, summary="6 passed, 1 failed")

    plan = driver.preflight("repo.fix", **red)["plan"]
    report = driver.run("repo.fix", **red).report

    assert not plan["go"]
    assert plan["summary"] == "the tests were not green before: 6 passed, 1 failed"
    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert branches(origin) == ["main"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"lib.py": "x = 1\n"}, "nothing to mend"),
        ({"lib.py": "def f(:\n"}, "nothing to mend"),
        ({**FILES, ".steward.toml": 'fix = ["lib.py"]'}, "leaves its scope: docs/conf.py"),
        ({**FILES, ".steward.toml": "fix = false"}, "the steward file allows no fix"),
        ({"lib.py": "import os\n" * 2100}, "more than a person can be asked to read"),
    ],
)
def test_a_change_that_may_not_be_offered_is_refused_with_the_reason(
    driver: Driver, make_origin: MakeOrigin, files: dict[str, str], reason: str
) -> None:
    plan = driver.preflight("repo.fix", **asked(make_origin(files)))["plan"]

    assert not plan["go"]
    assert reason in plan["summary"]


def test_fixes_inside_the_scope_of_the_steward_file_are_made(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin({**FILES, "docs/conf.py": "x = 1\n", ".steward.toml": 'fix = ["lib.py"]'})

    assert driver.preflight("repo.fix", **asked(origin))["plan"]["go"]


def test_an_attempt_that_was_killed_after_its_push_is_not_repeated(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin, task = make_origin(FILES), uuid4()
    first = driver.run("repo.fix", task=task, **asked(origin)).result
    driver.begin(task, "push")

    second = driver.run("repo.fix", task=task, **asked(origin)).result

    assert second == first
    assert len(branches(origin)) == 2


def test_an_attempt_that_was_killed_before_its_push_is_repeated(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin, task = make_origin(FILES), uuid4()
    driver.begin(task, "push")

    fix = driver.run("repo.fix", task=task, **asked(origin)).result

    assert commit_of(origin.path, f"refs/heads/{fix['branch']}") == fix["commit"]


def test_the_same_change_is_the_same_commit_at_any_time(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin, task = make_origin(FILES), uuid4()
    first = driver.run("repo.fix", task=task, **asked(origin)).result
    driver.begin(task, "push")
    git(origin.path, "update-ref", "-d", f"refs/heads/{first['branch']}")

    second = driver.run("repo.fix", task=task, **asked(origin)).result

    assert (second["commit"], second["branch"] != first["branch"]) == (first["commit"], True)


def test_a_file_mode_a_link_and_a_submodule_survive_the_fix(driver: Driver, tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"tool.py": "import os\n"})
    (source / "tool.py").chmod(0o755)
    (source / "link.py").symlink_to("/etc/passwd")
    git(source, "add", "-A")
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(source, "commit", "-q", "-m", "odd")
    origin = prepare_origin(str(source), tmp_path)

    fix = driver.run("repo.fix", **asked(origin)).result

    changed = git(origin.path, "diff", "--raw", "--abbrev=4", origin.commit, fix["commit"])
    assert [row.split()[0:2] + row.split()[4:] for row in changed.splitlines()] == [
        [":100755", "100755", "M", "tool.py"]
    ]
