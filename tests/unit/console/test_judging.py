"""How a run of the main job ended: only evidence, a person's no, or a reported reason is good."""

import pytest

from console.demo.judging import Ended, judge
from console.demo.record import Ending
from console.host.exits import Exit

REPORT = Ended("repo.report", "done", "verified", result={"why_no_fix": ""})
OTHERS = [
    Ended("repo.survey", "done", "verified"),
    Ended("repo.lint", "done", "verified"),
    Ended("repo.fix", "done", "verified"),
    REPORT,
]
MERGE = Ended("repo.merge", "done", "verified")


def test_all_verified_and_origin_moved_is_merged() -> None:
    found = judge([*OTHERS, MERGE], said_no=False, origin_moved=True)

    assert (found.ending, found.exit) == (Ending.MERGED, Exit.OK)


@pytest.mark.parametrize("verdict", ["unverified", "refuted", "inconclusive", ""])
def test_one_task_without_proof_is_enough_to_be_unproven(verdict: str) -> None:
    lint = Ended("repo.lint", "done", verdict)

    found = judge([*OTHERS, lint, MERGE], said_no=False, origin_moved=True)

    assert (found.ending, found.exit) == (Ending.UNPROVEN, Exit.NOT_DONE)
    assert "repo.lint ended done" in found.words


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired", "rejected"])
def test_a_merge_that_ended_otherwise_is_unproven_unless_a_person_said_no(state: str) -> None:
    merge = Ended("repo.merge", state, reason="the branch moved")

    found = judge([*OTHERS, merge], said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.UNPROVEN, Exit.NOT_DONE)
    assert "the branch moved" in found.words


def test_a_persons_no_is_a_good_end_only_while_origin_is_untouched() -> None:
    merge = Ended("repo.merge", "rejected", reason="rejected by person:operator")

    said = judge([*OTHERS, merge], said_no=True, origin_moved=False)
    ignored = judge([*OTHERS, merge], said_no=True, origin_moved=True)

    assert (said.ending, said.exit) == (Ending.REJECTED, Exit.OK)
    assert (ignored.ending, ignored.exit) == (Ending.UNPROVEN, Exit.NOT_DONE)


def test_a_merge_that_waits_is_held() -> None:
    found = judge([*OTHERS, Ended("repo.merge", "held")], said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.HELD, Exit.OK)


def test_a_refused_fix_with_its_reason_in_the_report_is_a_good_end() -> None:
    report = Ended("repo.report", "done", "verified", result={"why_no_fix": "3 tests failed"})
    fix = Ended("repo.fix", "rejected", reason="3 tests failed")
    merge = Ended("repo.merge", "cancelled", reason="dependency_failed")

    found = judge([fix, report, merge], said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.NO_FIX, Exit.OK)
    assert "3 tests failed" in found.words


def test_a_check_that_could_not_be_made_is_told_by_the_exit_code() -> None:
    report = Ended("repo.report", "done", "verified", result={"why_no_fix": "repo.test ended"})
    hung = Ended("repo.test", "failed", reason="timeout")

    found = judge([hung, report], said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.NO_FIX, Exit.NOT_DONE)


def test_a_report_nobody_verified_excuses_nothing() -> None:
    report = Ended("repo.report", "done", "refuted", result={"why_no_fix": "all is well"})

    found = judge([report], said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.UNPROVEN, Exit.NOT_DONE)


@pytest.mark.parametrize("tasks", [[], [Ended("repo.test", "running"), REPORT]])
def test_what_is_not_over_is_unfinished(tasks: list[Ended]) -> None:
    found = judge(tasks, said_no=False, origin_moved=False)

    assert (found.ending, found.exit) == (Ending.UNFINISHED, Exit.TIMEOUT)
