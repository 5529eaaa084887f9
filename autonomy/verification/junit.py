"""Reading a JUnit file that code nobody here has read may have written."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

from autonomy.sdk.evidence import Check, check
from autonomy.verification.files import is_fresh, missing, open_file

MOST_BYTES = 50_000_000
MOST_NAMED = 20
_LONGEST_NAME = 200
_WORST = {"error": 3, "failure": 2, "skipped": 1}


class BadReport(Exception):
    """The file is no JUnit report, or one that is not read for safety."""


@dataclass
class Report:
    """What a JUnit file says."""

    suite: str = ""
    written_at: datetime | None = None
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failing: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Cases by how they ended."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "errors": self.errors,
            "skipped": self.skipped,
        }


def read_junit(path: Path) -> Report:
    """Count the cases of a report; raises BadReport or OSError."""
    with open_file(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BadReport(f"the report is larger than {MOST_BYTES} bytes")
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)  # noqa: FBT003 -- expat takes it by position only
    except (expat.ExpatError, ValueError) as error:
        raise BadReport(f"no XML: {error}") from None
    if not reader.suites:
        raise BadReport("no test suite in it")
    return reader.report


def junit_is_of(
    path: Path, *, suite: str, since: datetime, counts: dict[str, int]
) -> tuple[Check, ...]:
    """The report names this suite, was written after `since`, and has these counts."""
    try:
        report = read_junit(path)
    except BadReport as error:
        return (check(path.name, expected="a JUnit report", seen=str(error)),)
    except OSError as error:
        return (missing(path, expected="a JUnit report", error=error),)
    written = report.written_at or datetime.min.replace(tzinfo=UTC)
    return (
        check(f"suite in {path.name}", expected=suite, seen=report.suite),
        is_fresh(f"time in {path.name}", written, since=since),
        check(f"cases in {path.name}", expected=counts, seen=report.counts()),
    )


class _Reader:
    """Counts while expat reads; a document type is refused, so that no entity can grow."""

    def __init__(self) -> None:
        self.report = Report()
        self.suites = 0
        self._case = ""
        self._worst = ""
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testsuite":
            self.suites += 1
            self.report.suite = attributes.get("name", "")
            self.report.written_at = _moment(attributes.get("timestamp", ""))
        elif name == "testcase":
            named = (attributes.get("classname"), attributes.get("name"))
            self._case = "::".join(filter(None, named))[:_LONGEST_NAME]
            self._worst = ""
        elif _WORST.get(name, 0) > _WORST.get(self._worst, 0):
            self._worst = name

    def _end(self, name: str) -> None:
        if name != "testcase":
            return
        report = self.report
        match self._worst:
            case "error":
                report.errors += 1
            case "failure":
                report.failed += 1
            case "skipped":
                report.skipped += 1
            case _:
                report.passed += 1
        if self._worst in ("error", "failure") and len(report.failing) < MOST_NAMED:
            report.failing.append(self._case)


def _refuse(*_: object) -> None:
    raise BadReport("it declares a document type, which a JUnit report has no use for")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.astimezone()
