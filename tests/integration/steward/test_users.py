"""As root, each session is another user: all of them work on the same origin."""

import os
from pathlib import Path
from typing import Any

import pytest

from autonomy.verification import commit_of
from steward.origin import prepare_origin
from tests.integration.steward.driving import Driver, repository

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start sessions as others")

FIRST = 0x70000000


def test_one_user_fixes_another_merges_and_others_verify(driver: Driver, home: Path) -> None:
    source = repository(home / "users" / "source", {"a.py": "import os\n"})
    origin = prepare_origin(str(source), home / "users")
    tests = {"green": True, "summary": "1 passed"}
    where: dict[str, Any] = {"origin": str(origin.path), "tests": tests}

    fixes = [driver.run("repo.fix", uid=FIRST + n, base=origin.commit, **where) for n in range(2)]
    fix = fixes[1].result
    merge = driver.run(
        "repo.merge", uid=FIRST + 9, branch="main", base=origin.commit,
        fix_branch=fix["branch"], commit=fix["commit"], **where,
    )  # fmt: skip

    assert driver.verify(fixes[1])["verdict"] == "verified"
    assert driver.verify(merge)["verdict"] == "verified"
    assert commit_of(origin.path, "refs/heads/main") == fix["commit"]


def test_the_scope_of_a_fix_holds_no_other_branch(driver: Driver, home: Path) -> None:
    scope = driver.skills["repo.fix"].declaration["scope"]

    assert scope["write"] == ["{origin}/objects", "{origin}/refs/heads/steward"]
