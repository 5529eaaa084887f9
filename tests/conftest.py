"""What every test may use."""

import os
from collections.abc import Generator

import pytest

NO_SKIPS = os.environ.get("AUTONOMY_NO_SKIPS") == "1"
WHO_RUNS = ("root", "ordinary user")
"""In the reason of a skip: no package makes one account into another."""


@pytest.fixture
def redis_url() -> str:
    """A Redis that tests may fill and flush."""
    return os.environ["REDIS_URL"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where everything that tests need is meant to be there."""
    report = yield
    if _is_missing_something(report) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file."""
    report = yield
    if _is_missing_something(report):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped: {report.longrepr}"
    return report


def _is_missing_something(report: pytest.TestReport | pytest.CollectReport) -> bool:
    where_and_why = report.longrepr
    reason = where_and_why[2] if isinstance(where_and_why, tuple) else str(where_and_why)
    return NO_SKIPS and report.skipped and not any(word in reason for word in WHO_RUNS)
