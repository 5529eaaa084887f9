"""The whole job on a real engine, node and database, from a survey to its last task."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

import pytest

from autonomy.domain.states import TERMINAL, State
from autonomy.tasks import services
from autonomy.tasks.models import Artifact, Task
from autonomy.verification import commit_of
from ledger.models import Outcome
from steward.origin import Origin, prepare_origin
from steward.sdist import index_url
from tests.integration.steward.driving import STEWARD, git, repository
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 100.0
MAIN = "refs/heads/main"
LIBRARY = {
    "lib/core.py": "import os\n\nVERSION = '1'\n",
    "tests/test_lib.py": "from lib.core import VERSION\n\ndef test_it(): assert VERSION == '1'\n",
}
BROKEN = {**LIBRARY, "tests/test_bad.py": "def test_bad():\n    assert 1 == 2\n"}


@pytest.fixture(scope="module")
def index() -> str:
    """The package index, or a skip that says that it is away."""
    try:
        with urlopen(f"{index_url()}/pytest/", timeout=5):  # noqa: S310
            return index_url()
    except (URLError, OSError) as error:
        pytest.skip(f"needs a package index: {index_url()} ({error}); set UV_DEFAULT_INDEX to one")


@pytest.fixture
def at_work(tmp_path: Path, index: str) -> Iterator[Platform]:
    with platform(tmp_path, STEWARD, slots=4) as working:
        yield working


class Job:
    """What grows from one survey."""

    def __init__(self, home: Path, files: dict[str, str]) -> None:
        source = repository(home / "source", files)
        self.origin: Origin = prepare_origin(str(source), home)
        args = {"origin": str(self.origin.path), "branch": "main", "commit": self.origin.commit}
        who: dict[str, Any] = {"origin": "detector:x", "requested_by": "service:repo_changed"}
        self.run: UUID = services.submit("repo.survey", args, **who).task_id

    def tasks(self) -> dict[str, Task]:
        """All of its tasks by key; the survey's own is empty."""
        return {task.key: task for task in Task.objects.filter(run_id=self.run)}

    def until(self, holds: Callable[[dict[str, Task]], bool]) -> dict[str, Task]:
        """Its tasks once something holds of them."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            tasks = self.tasks()
            if holds(tasks):
                return tasks
            if len(tasks) > 1 and all(task.state in TERMINAL for task in tasks.values()):
                break
            time.sleep(0.1)
        raise AssertionError({key: (t.state, t.reason) for key, t in self.tasks().items()})

    def held(self) -> Task:
        """The merge, once it waits for a person."""
        return self.until(lambda t: "merge" in t and t["merge"].state == State.HELD)["merge"]

    def ended(self) -> dict[str, Task]:
        """Its tasks, once all have ended."""
        return self.until(lambda t: len(t) > 1 and all(i.state in TERMINAL for i in t.values()))

    def text(self, at_work: Platform, key: str, name: str) -> str:
        """What a file that a task kept says."""
        kept = Artifact.objects.filter(task=self.tasks()[key], name=name).latest("id")
        return at_work.store.path(kept.sha256).read_text()


def verdicts(tasks: dict[str, Task]) -> dict[str, Any]:
    found = Outcome.objects.filter(task_id__in=[task.id for task in tasks.values()])
    by_id = {outcome.task_id: outcome for outcome in found}
    return {key: (by_id[t.id].state, by_id[t.id].verdict) for key, t in tasks.items()}


def test_a_job_is_done_when_a_person_approves_and_nothing_else_changed(
    at_work: Platform, tmp_path: Path
) -> None:
    good, altered = Job(tmp_path / "good", LIBRARY), Job(tmp_path / "altered", LIBRARY)
    merge, other = good.held(), altered.held()
    assert other.resolved is not None
    fix_branch = f"refs/heads/{other.resolved['fix_branch']}"
    evil = git(altered.origin.path, "commit-tree", f"{MAIN}^{{tree}}", "-p", MAIN, "-m", "evil")
    git(altered.origin.path, "update-ref", fix_branch, evil)

    at_work.decide(other.id, "approved")
    at_work.decide(merge.id, "approved")

    tasks, refused = good.ended(), altered.ended()
    assert set(verdicts(tasks).values()) == {("done", "verified")}
    assert tasks["fix"].result is not None
    assert commit_of(good.origin.path, MAIN) == tasks["fix"].result["commit"]
    assert "A fix is offered." in good.text(at_work, "report", "report.md")
    assert refused["merge"].state == State.REJECTED
    assert "and not to" in refused["merge"].reason
    assert commit_of(altered.origin.path, MAIN) == altered.origin.commit


def test_a_job_on_failing_or_missing_tests_ends_with_a_report_and_no_fix(
    at_work: Platform, tmp_path: Path
) -> None:
    broken = Job(tmp_path / "broken", BROKEN)
    untested = Job(tmp_path / "untested", {"a.py": "import os\n"})

    tasks = broken.ended()
    ended = verdicts(tasks)
    assert ended["test"] == ("done", "verified")
    assert tasks["fix"].state == State.REJECTED
    assert tasks["merge"].state == tasks["test_fix"].state == State.CANCELLED
    assert ended["report"] == ("done", "verified")
    said = broken.text(at_work, "report", "report.md")
    assert "not green before: 1 passed, 1 failed" in said
    assert commit_of(broken.origin.path, MAIN) == broken.origin.commit
    assert set(verdicts(untested.ended()).values()) == {("done", "verified")}
    assert "there are no tests" in untested.text(at_work, "report", "report.md")
