"""People, and a small run as the platform leaves it behind."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from autonomy.domain.states import State
from autonomy.systemmap.models import Component, Node
from autonomy.tasks.models import Artifact, Edge, Effect, Session, Task
from config.artifacts import storage
from console.cli.main import run
from console.host.environment import LOADED
from console.services import issue_token
from firewall.domain.action import Action
from firewall.models import Approval
from firewall.services import Request, ensure_groups, request
from ledger.domain.ids import new_id
from ledger.services import NewOutcome, record_outcomes


def member(name: str, *groups: str) -> User:
    """A person who may sign in, in these groups."""
    ensure_groups()
    person = User.objects.create_user(name, is_staff=True)
    person.groups.add(*Group.objects.filter(name__in=groups))
    return person


@pytest.fixture
def operator(db: None) -> User:
    return member("operator", "admin", "approver")


@pytest.fixture
def viewer(db: None) -> User:
    return member("vera", "viewer")


@pytest.fixture
def desk(client: Client, operator: User) -> Client:
    """The admin, signed in as the operator."""
    client.force_login(operator)
    return client


def a_task(skill: str = "repo.lint", **fields: object) -> Task:
    """A task as submit leaves it, with some columns changed."""
    given: dict[str, object] = {
        "run_id": new_id(),
        "skill": skill,
        "tier": 1,
        "state": State.READY,
        "origin": "detector:repo_changed",
        "requested_by": "service:repo_changed",
        "args": {"commit": "9f2a"},
        "estimate_seconds": 5.0,
        "max_attempts": 3,
        "ready_at": timezone.now(),
    }
    return Task.objects.create(**{**given, **fields})


@pytest.fixture
def done_task(db: None) -> Task:
    """A task that ended well, with everything a page can show of one."""
    started = timezone.now() - timedelta(seconds=9)
    first = a_task("repo.survey", state=State.DONE)
    task = a_task(
        state=State.DONE, node="n1", attempt=1, key="lint", run_id=first.run_id,
        cause=["detector:repo_changed"], started_at=started, ended_at=timezone.now(),
    )  # fmt: skip
    Edge.objects.create(upstream=first, downstream=task)
    session = Session.objects.create(
        task=task, node="n1", purpose="run", attempt=1, epoch=1, version="ab", ended="ok",
        output="<script>alert(1)</script>", started_at=started, ended_at=timezone.now(),
    )  # fmt: skip
    Effect.objects.create(task=task, step="push", epoch=1, result={"ref": "main"})
    Artifact.objects.create(task=task, session=session, name="report.md", sha256="ab" * 32, size=9)
    checks = [{"looked_at": "junit.xml", "expected": "412", "seen": "412", "verdict": "verified"}]
    ended = NewOutcome(
        task_id=task.pk, epoch=1, skill=task.skill, node="n1", tier=1, state="done",
        verdict="verified", evidence={"verdict": "verified", "checks": checks}, run_seconds=9,
        session_id=session.pk, queue_seconds=0.25, decision_seconds=0.01,
    )  # fmt: skip
    record_outcomes([ended])
    return task


@pytest.fixture
def small_map(db: None) -> None:
    Component.objects.create(
        kind="skill", name="repo.lint", tier=1, owner="steward", version="ab",
        description="Runs the linter.", declaration={
            "arguments": {}, "estimate_seconds": 1.0, "retries": {"max_attempts": 3},
        },
        declared_at=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    Node.objects.create(
        name="n1", tiers=[1, 2], slots=2, seen_at=timezone.now(), incarnation=new_id()
    )


@dataclass(frozen=True)
class Ran:
    """What a command left on the terminal."""

    code: int
    out: str
    err: str

    @property
    def shape(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


Autonomy = Callable[..., Ran]


@pytest.fixture
def autonomy(
    operator: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Autonomy:
    """The command line through its real entry point, as the operator."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "operator.token").write_text(issue_token(operator, "command line"))
    monkeypatch.setenv("AUTONOMY_HOME", str(tmp_path))
    monkeypatch.setenv(LOADED, str(tmp_path))
    monkeypatch.delenv("AUTONOMY_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["autonomy", *words])
        with pytest.raises(SystemExit) as ended:
            run()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return call


def approval_of(task: Task, **fields: Any) -> Approval:
    """What the platform asks about a task before it runs."""
    action = Action(
        skill=task.skill,
        version="ab12",
        args=task.args,
        scope={},
        tier=task.tier,
        idempotency_key=str(task.pk),
        expires_at=(timezone.now() + timedelta(hours=1)).isoformat(),
        reads={"origin main": "9f2a"},
    )
    asked: dict[str, Any] = {"summary": "Move main to 9f2a.", "diff": "--- a\n+++ b\n-old\n+new\n"}
    return request(
        Request(
            task_id=task.pk, action=action, requested_by=task.requested_by, **{**asked, **fields}
        )
    )


@pytest.fixture
def held_task(db: None) -> Task:
    """A tier-3 task that waits for a person."""
    return a_task("repo.merge", tier=3, state=State.HELD, reason="approval")


@pytest.fixture
def settings_home(tmp_path: Path, settings: Settings) -> Path:
    """A home of this test alone."""
    settings.AUTONOMY_HOME = tmp_path
    settings.AUTONOMY_ARTIFACTS = tmp_path / "artifacts"
    settings.STORAGES = {**settings.STORAGES, "artifacts": storage(settings.AUTONOMY_ARTIFACTS)}
    return tmp_path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the users of sessions can enter: pytest's own is closed to them."""
    with tempfile.TemporaryDirectory(prefix="autonomy-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
