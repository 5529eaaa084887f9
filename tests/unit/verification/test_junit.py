from datetime import UTC, datetime
from pathlib import Path

import pytest

from autonomy.sdk import Evidence, Verdict
from autonomy.verification import BadReport, junit_is_of, read_junit

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="abc" tests="5" timestamp="2026-03-01T10:00:00+00:00">
<testcase classname="t" name="good"/>
<testcase classname="t" name="bad"><failure message="no">trace</failure></testcase>
<testcase classname="t" name="broken"><failure/><error message="no"/></testcase>
<testcase classname="t" name="later"><skipped/></testcase>
</testsuite></testsuites>"""
COUNTS = {"passed": 1, "failed": 1, "errors": 1, "skipped": 1}
AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def written(folder: Path, text: str) -> Path:
    path = folder / "junit.xml"
    path.write_text(text)
    return path


def test_each_case_is_counted_once_by_the_worst_that_befell_it(tmp_path: Path) -> None:
    report = read_junit(written(tmp_path, REPORT))

    assert report.counts() == COUNTS
    assert report.failing == ["t::bad", "t::broken"]


def test_a_report_of_this_commit_and_this_hour_is_verified(tmp_path: Path) -> None:
    checks = junit_is_of(written(tmp_path, REPORT), suite="abc", since=AT, counts=COUNTS)

    assert Evidence.of(*checks).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("suite", "since", "counts"),
    [
        ("def", AT, COUNTS),
        ("abc", AT.replace(hour=11), COUNTS),
        ("abc", AT, {**COUNTS, "passed": 2}),
    ],
)
def test_another_commit_an_older_time_or_other_counts_are_refuted(
    tmp_path: Path, suite: str, since: datetime, counts: dict[str, int]
) -> None:
    checks = junit_is_of(written(tmp_path, REPORT), suite=suite, since=since, counts=counts)

    assert Evidence.of(*checks).verdict is Verdict.REFUTED


def test_a_report_that_declares_entities_is_not_read(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>'

    with pytest.raises(BadReport, match="document type"):
        read_junit(written(tmp_path, bomb))


@pytest.mark.parametrize("text", ["", "no xml", "<a/>", "<testsuite>"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadReport):
        read_junit(written(tmp_path, text))
    checks = junit_is_of(tmp_path / "junit.xml", suite="abc", since=AT, counts=COUNTS)
    assert Evidence.of(*checks).verdict is Verdict.REFUTED
