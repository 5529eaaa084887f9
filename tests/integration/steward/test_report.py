"""`repo.report`: what a person reads, and why no fix is offered."""

from typing import Any

import pytest

from tests.integration.steward.conftest import MakeOrigin
from tests.integration.steward.driving import Driver, Session, upstream

FILES = {"lib.py": "import os\n", "tests/test_lib.py": "def test_it(): pass\n"}


class Story:
    """The tasks of a survey, run one after the other."""

    def __init__(self, driver: Driver, origin: Any, prepared: dict[str, Any]) -> None:
        self.driver, self.origin = driver, origin
        at = {"origin": str(origin.path), "commit": origin.commit}
        self.lint = driver.run("repo.lint", **at)
        self.metrics = driver.run("repo.metrics", **at)
        self.test = driver.run("repo.test", upstream=(prepared,), **at)
        self.prepared = prepared

    def before(self) -> list[dict[str, Any]]:
        """What the report depends on when there is no fix."""
        return [
            upstream("lint", self.lint),
            upstream("metrics", self.metrics),
            self.prepared,
            upstream("test", self.test),
        ]

    def fixed(self) -> list[dict[str, Any]]:
        """The same, with a fix that was tested."""
        tests = self.test.result["outcome"]
        fix = self.driver.run(
            "repo.fix", origin=str(self.origin.path), base=self.origin.commit, tests=tests
        )
        again = self.driver.run(
            "repo.test", upstream=(self.prepared,), origin=str(self.origin.path),
            commit=fix.result["commit"],
        )  # fmt: skip
        return [*self.before(), upstream("fix", fix), upstream("test_fix", again)]

    def report(self, upstream: list[dict[str, Any]], why_no_fix: str = "") -> Session:
        """The report on these tasks."""
        return self.driver.run(
            "repo.report", upstream=upstream, origin=str(self.origin.path), branch="main",
            commit=self.origin.commit, why_no_fix=why_no_fix,
        )  # fmt: skip


@pytest.fixture
def story(driver: Driver, make_origin: MakeOrigin, prepared: dict[str, Any]) -> Story:
    return Story(driver, make_origin(FILES), prepared)


def test_an_offered_fix_is_described_in_numbers(story: Story) -> None:
    session = story.report(story.fixed())

    text = session.artifact("report.md").read_text()
    assert session.result["why_no_fix"] == ""
    assert "The linter has 1 findings in 1 files" in text
    assert "are green: 1 passed." in text
    assert "changes 1 lines in 1 files and leaves 0 of 1 findings." in text
    assert "A fix is offered." in text
    assert text.count("| verified |") == 6


def test_the_reason_of_the_task_that_stood_in_the_way_is_named(story: Story) -> None:
    rejected = {
        **story.before()[0], "key": "fix", "skill": "repo.fix", "state": "rejected",
        "verdict": None, "result": None, "reason": "the tests were not green before: 1 failed",
    }  # fmt: skip
    cancelled = {**rejected, "key": "test_fix", "skill": "repo.test", "state": "cancelled"}

    session = story.report([*story.before(), rejected, cancelled])

    text = session.artifact("report.md").read_text()
    assert "No fix is offered: `repo.fix ended rejected: the tests were not green" in text
    assert "| repo.fix | rejected | none |" in text


def test_the_reason_of_the_survey_is_named(story: Story) -> None:
    session = story.report(story.before()[:2], why_no_fix="there are no tests")

    assert "No fix is offered: `there are no tests`" in session.artifact("report.md").read_text()


def test_names_from_the_repository_cannot_write_the_report(
    driver: Driver, make_origin: MakeOrigin, prepared: dict[str, Any]
) -> None:
    name = "a`\n# Approved\n![x](http:b\u202e.py"
    story = Story(driver, make_origin({**FILES, name: "import os\n"}), prepared)

    text = story.report(story.before(), "none").artifact("report.md").read_text()

    assert "\n# Approved" not in text
    assert "\u202e" not in text
    assert "`a'\\n# Approved\\n![x](http:b\\u202e.py:1: F401" in text
