"""Repositories made to break whoever looks at them: many files, wicked names, links out."""

import time
from pathlib import Path
from typing import Any

import pytest

from autonomy.sessions.orders import End
from steward.origin import prepare_origin
from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, git, repository

GREEN = {"green": True, "summary": "1 passed"}
NAMES = (
    "-rf.py",
    "--output=x.py",
    "$(touch pwned).py",
    "new\nline.py",
    "tab\tquote\"'.py",
    "\u202egnp.py",
    "\udcff\udcfe.py",  # bytes that are no UTF-8
    "a" * 240 + ".py",
    "deep/" * 60 + "x.py",
)


def at(origin: Any) -> dict[str, Any]:
    return {"origin": str(origin.path), "commit": origin.commit}


@pytest.fixture(scope="module")
def crowd(home: Path) -> Any:
    """An origin with 10,000 files, of which a hundred can be mended."""
    stream = ["commit refs/heads/main", "committer a <a@b> 0 +0000", "data 1", "x"]
    for number in range(10_000):
        text = (
            f"import os\n\n\ndef f{number}(x):\n    return x\n"
            if number < 100
            else f"x = {number}\n"
        )
        name = f"p{number // 500}/m{number}.py"
        stream += [f"M 100644 inline {name}", f"data {len(text)}", text]
    source = home / "crowd" / "source"
    source.mkdir(parents=True)
    git(source, "init", "-q", "-b", "main")
    git(source, "fast-import", "--quiet", stdin="\n".join(stream).encode())
    return prepare_origin(str(source), home / "crowd")


@pytest.mark.parametrize("skill", ["repo.lint", "repo.metrics"])
def test_ten_thousand_files_are_looked_at_within_the_limits(
    driver: Driver, crowd: Any, skill: str
) -> None:
    began = time.monotonic()

    session = driver.run(skill, **at(crowd))

    assert session.result["files"] == (100 if skill == "repo.lint" else 10_000)
    assert driver.verify(session)["verdict"] == "verified"
    assert time.monotonic() - began < 45


def test_ten_thousand_files_are_surveyed_and_mended(driver: Driver, crowd: Any) -> None:
    survey = driver.run("repo.survey", branch="main", **at(crowd))
    fix = driver.run("repo.fix", origin=str(crowd.path), base=crowd.commit, tests=GREEN)

    assert survey.result["python_files"] == 10_000
    assert (fix.result["findings_before"], fix.result["findings_after"]) == (100, 0)


def test_wicked_names_are_looked_at_and_obeyed_by_nobody(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin(dict.fromkeys(NAMES, "import os\n"))

    linted = driver.run("repo.lint", **at(origin))
    measured = driver.run("repo.metrics", **at(origin))
    fix = driver.run("repo.fix", origin=str(origin.path), base=origin.commit, tests=GREEN)

    assert linted.result["findings"] == measured.result["python_files"] == len(NAMES)
    assert fix.result["findings_after"] == 0
    assert all(name.isprintable() and name.isascii() for name in fix.result["files"][:3])
    for session in (linted, measured, fix):
        assert driver.verify(session)["verdict"] == "verified"


def test_wicked_names_of_tests_are_run_as_files(
    driver: Driver, make_origin: MakeOrigin, prepared: dict[str, Any]
) -> None:
    text = "def test_it(): pass\n"
    origin = make_origin(
        {"tests/-x.py": text, "--collect-only_test.py": text, "a b/test_c.py": text}
    )

    result = driver.run("repo.test", upstream=(prepared,), **at(origin)).result

    assert result["passed"] == 2


def test_links_out_of_the_tree_are_never_followed(driver: Driver, tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"a.py": "import os\n"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("import sys\n")
    (source / "out").symlink_to(outside)
    (source / "secret.py").symlink_to(outside / "secret.py")
    (source / "pyproject.toml").symlink_to("/etc/passwd")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "links")
    origin = prepare_origin(str(source), tmp_path)

    linted = driver.run("repo.lint", **at(origin)).result
    measured = driver.run("repo.metrics", **at(origin)).result
    fix = driver.run("repo.fix", origin=str(origin.path), base=origin.commit, tests=GREEN).result

    assert (linted["by_rule"], measured["python_files"]) == ({"F401": 1}, 1)
    assert fix["files"] == ["a.py"]
    assert (outside / "secret.py").read_text() == "import sys\n"


@pytest.mark.parametrize("name", [".git/hooks/post-checkout", "../../escaped", ".GIT/config"])
def test_a_tree_with_a_path_that_git_itself_refuses_is_refused(
    driver: Driver, make_origin: MakeOrigin, name: str
) -> None:
    origin = make_origin({"a.py": "x = 1\n"})
    commit = _commit_of_path(origin.path, name)

    report = driver.run("repo.lint", origin=str(origin.path), commit=commit).report

    assert (report.ended, report.error_class) == (End.FAILED, "permanent")
    assert "invalid path" in report.error


def test_a_replaced_commit_is_not_mistaken_for_the_one_that_was_named(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    origin = make_origin({"a.py": "import os\n"})
    other = _commit_of_path(origin.path, "clean.py")
    git(origin.path, "update-ref", f"refs/replace/{origin.commit}", other)

    assert driver.run("repo.lint", **at(origin)).result["findings"] == 1


def test_code_nested_beyond_reason_is_named_unreadable(
    driver: Driver, make_origin: MakeOrigin
) -> None:
    files = {"deep.py": "x = " + "(" * 5000 + ")" * 5000, "minus.py": "x = " + "-" * 50_000 + "1"}

    measured = driver.run("repo.metrics", **at(make_origin({**files, "null.py": "x = '\0'\n"})))

    assert len(measured.result["unreadable"]) == 3


def _commit_of_path(git_dir: Path, name: str) -> str:
    """A commit whose tree holds one file under a name that no index would take."""
    entry = git(git_dir, "hash-object", "-w", "--stdin", stdin=b"x = 1\n")
    kind, mode = "blob", "100644"
    for part in reversed(name.split("/")):
        row = f"{mode} {part}\0".encode() + bytes.fromhex(entry)
        entry = git(git_dir, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=row)
        kind, mode = "tree", "40000"
    assert kind == "tree"
    return git(git_dir, "commit-tree", entry, "-m", "wicked")
