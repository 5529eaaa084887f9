"""A node and an engine at work on the test database: real processes, no broker."""

import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection

from autonomy.domain.redaction import Redactor
from autonomy.domain.states import TERMINAL
from autonomy.engine.services.loop import Engine
from autonomy.node.services.artifacts import ArtifactStore
from autonomy.node.services.supervisor import Supervisor
from autonomy.node.services.turn import Part
from autonomy.node.services.workplace import Node
from autonomy.systemmap.models import Node as NodeRow
from autonomy.tasks import services
from autonomy.tasks.models import Task
from autonomy.tasks.services.storage import ContentFolder
from firewall import services as firewall
from firewall.models import Approval
from ledger import wake

PATIENCE = 30.0
PERSON = "person:ada"


@dataclass
class Platform:
    """What a test does with it."""

    supervisor: Supervisor
    store: ArtifactStore

    def submit(self, skill: str, **args: Any) -> UUID:
        """Ask for a task as a person."""
        return services.submit(skill, args, origin=PERSON, requested_by=PERSON).task_id

    def task(self, task_id: UUID) -> Task:
        """The task as it stands."""
        return Task.objects.get(id=task_id)

    def ended(self, task_id: UUID) -> Task:
        """The task once it has ended."""
        return ended(task_id)

    def reached(self, task_id: UUID, state: str) -> Task:
        """The task once it is in a state."""
        return reached(task_id, state)

    def until(self, task_id: UUID, holds: Callable[[Task], bool]) -> Task:
        """The task once something holds of it; fails after PATIENCE seconds."""
        return until(task_id, holds)

    def decide(self, task_id: UUID, decision: str) -> None:
        """Answer the pending question about a task, as a person who did not ask for it."""
        person, _ = User.objects.get_or_create(username="grace", is_superuser=True, is_staff=True)
        approval = Approval.objects.get(task_id=task_id, decision="pending")
        firewall.decide(approval.id, person, decision, "looked at it")


def ended(task_id: UUID) -> Task:
    """The task once it has ended."""
    return until(task_id, lambda task: task.state in TERMINAL)


def reached(task_id: UUID, state: str) -> Task:
    """The task once it is in a state."""
    return until(task_id, lambda task: task.state == state)


def until(task_id: UUID, holds: Callable[[Task], bool]) -> Task:
    """The task once something holds of it; fails after PATIENCE seconds."""
    give_up = time.monotonic() + PATIENCE
    while not holds(task := Task.objects.get(id=task_id)):
        if time.monotonic() > give_up:
            raise AssertionError(f"still {task.state} ({task.reason}) after {PATIENCE} s")
        time.sleep(0.02)
    return task


@contextmanager
def platform(
    home: Path,
    skills: str | Path,
    *,
    slots: int = 2,
    parts: Sequence[Part] = (),
    known: Callable[[], Redactor] = Redactor,
) -> Iterator[Platform]:
    """Run one node and one engine over a module of skills, or a folder, until the block ends."""
    folder = skills if isinstance(skills, Path) else _written(home / "skills", skills)
    store = ArtifactStore(ContentFolder(location=home / "artifacts"))
    supervisor = Supervisor(replace(_node(home, folder, slots), known=known), store, parts)
    engine = Engine(lambda bells: supervisor.ring() if bells else None)
    threads = [
        threading.Thread(target=run, daemon=True)
        for run in (_own(supervisor.run), _own(engine.run))
    ]
    for thread in threads:
        thread.start()
    try:
        _wait_for_node()
        yield Platform(supervisor, store)
    finally:
        engine.stopping.set()
        supervisor.stop()
        wake.ring()
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)


def _written(folder: Path, skills: str) -> Path:
    folder.mkdir()
    (folder / "made.py").write_text(HEADER + textwrap.dedent(skills))
    return folder


HEADER = """
import os, time
from pathlib import Path
from autonomy.sdk import *
from autonomy.sdk.evidence import check
"""


def _node(home: Path, folder: Path, slots: int) -> Node:
    return Node(
        name="n1",
        slots=slots,
        tiers=(1, 2, 3),
        labels=(),
        folder=home / "sessions",
        skills=(folder,),
        protected=(home / "artifacts",),
        verifier_url=database_url(),
        reader_url=database_url(),
    )


def database_url() -> str:
    """The test database as a URL."""
    given = connection.settings_dict
    who = f"{quote(given['USER'])}:{quote(given['PASSWORD'])}"
    return (
        f"postgresql://{who}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}/{given['NAME']}"
    )


def _own(run: Callable[[], None]) -> Callable[[], None]:
    def with_own_connection() -> None:
        try:
            run()
        finally:
            connection.close()

    return with_own_connection


def _wait_for_node() -> None:
    give_up = time.monotonic() + PATIENCE
    while not NodeRow.objects.exclude(versions={}).exists():
        if time.monotonic() > give_up:
            raise AssertionError("the node did not join")
        time.sleep(0.05)
