"""One skill at a time in a real session, and what it asked its supervisor for."""

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions.events import Call, Ended, Loaded
from autonomy.sessions.folders import fresh
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.pool import SessionPool
from ledger.domain.ids import new_id
from tests.support.workers import worker

STEWARD = Path(__file__).resolve().parents[3] / "examples" / "steward"
PATIENCE = 60.0
STRANGER = 0x70000100 + worker() if os.geteuid() == 0 else None
"""Who sessions run as, where nothing else is said."""


@dataclass
class Session:
    """How a session went."""

    skill: str
    args: dict[str, Any]
    order: Order
    report: Report = field(default_factory=lambda: Report(ended=End.LOST))
    said: list[str] = field(default_factory=list)
    submitted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def result(self) -> Any:
        """What it answered; fails with its error if it did not end well."""
        assert self.report.ended is End.OK, self.report.error
        return self.report.result

    def artifact(self, name: str) -> Path:
        """A file that it left."""
        return self.order.artifacts / name


class Driver:
    """A pool with the steward's skills; answers their calls as a node would."""

    def __init__(self, home: Path) -> None:
        self.pool = SessionPool(folders=(STEWARD,))
        self.home = home
        self._effects: dict[tuple[UUID, str], Any] = {}
        self.pool.start(timeout=60)
        self.skills: dict[str, Loaded] = {c.name: c for c in self.pool.components}

    def close(self) -> None:
        """End the pool."""
        self.pool.close()

    def run(self, skill: str, *, task: UUID | None = None, uid: int | None = STRANGER,
            upstream: Sequence[dict[str, Any]] = (), **args: Any) -> Session:  # fmt: skip
        """Run a skill; `task` names one that was tried before."""
        return self._session(Purpose.RUN, skill, args, task_id=task or new_id(), uid=uid,
                             upstream=upstream)  # fmt: skip

    def preflight(self, skill: str, **args: Any) -> Any:
        """The plan and the reads of a skill's pre-flight."""
        return self._session(Purpose.PREFLIGHT, skill, args).result

    def verify(self, session: Session, result: Any = None) -> Any:
        """The evidence for what a session did, or for what it is claimed to have done."""
        claimed = session.result if result is None else result
        return self._session(Purpose.VERIFY, session.skill, session.args, like=session.order,
                             result=claimed).result  # fmt: skip

    def detect(self, detector: str, **params: str) -> list[dict[str, Any]]:
        """What a detector finds."""
        now = datetime.now(UTC)  # noqa: TID251
        read = tuple(p.format_map(params) for p in self.skills[detector].declaration["read"])
        root = self.home / os.urandom(8).hex()
        order = Order(
            session_id=new_id(), task_id=UUID(int=0), purpose=Purpose.DETECT, component=detector,
            params=params, now=now, due_at=now, scope=Scope(read=read),
            folder=fresh(root / "work", uid=STRANGER), uid=STRANGER,
            artifacts=fresh(root / "artifacts", uid=STRANGER),
            limits=Limits(wall_seconds=1),
        )  # fmt: skip
        found: list[dict[str, Any]] = self._lived(Session(detector, {}, order)).result["findings"]
        return found

    def begin(self, task: UUID, step: str) -> None:
        """As if an earlier attempt had begun an effect and was killed."""
        self._effects[task, step] = None

    def _session(
        self, purpose: Purpose, skill: str, args: dict[str, Any], *, like: Order | None = None,
        **fields: Any,
    ) -> Session:  # fmt: skip
        order = self._order(purpose, skill, args, like, fields)
        return self._lived(Session(skill, args, order))

    def _lived(self, session: Session) -> Session:
        order = session.order
        self.pool.spawn(order)
        give_up = self.pool.now() + PATIENCE
        while self.pool.now() < give_up:
            select.select([self.pool.fileno()], [], [], 0.5)
            self.pool.renewed([order.session_id])
            for event in self.pool.handle_ready():
                if isinstance(event, Call):
                    self.pool.answer(event, self._answer(session, event))
                elif isinstance(event, Ended):
                    session.report = event.report
                    return session
        raise AssertionError(f"{session.skill} did not end within {PATIENCE} s")

    def _order(
        self, purpose: Purpose, skill: str, args: dict[str, Any], like: Order | None,
        fields: Mapping[str, Any],
    ) -> Order:  # fmt: skip
        declaration = self.skills[skill].declaration
        session_id, root = new_id(), self.home / os.urandom(8).hex()
        uid = like.uid if like else fields.get("uid", STRANGER)
        where = {
            "folder": like.folder if like else fresh(root / "work", uid=uid),
            "artifacts": like.artifacts if like else fresh(root / "artifacts", uid=uid),
            "started_at": like.started_at if like else datetime.now(UTC),  # noqa: TID251
            "task_id": like.task_id if like else new_id(),
            "upstream": like.upstream if like else (),
            "uid": uid,
        }
        return Order(
            session_id=session_id, purpose=purpose, component=skill, args=args,
            nonce=os.urandom(4).hex(), limits=Limits(**declaration["limits"]),
            scope=Scope(**declaration["scope"]).resolved(args),
            isolation=declaration["isolation"],
            foreign_code=declaration["foreign_code"] and purpose is Purpose.RUN,
            **{**where, **fields},
        )  # fmt: skip

    def _answer(self, session: Session, call: Call) -> Any:
        answers: dict[str, Callable[..., Any]] = {
            "say": partial(_hear, session.said),
            "submit": lambda submissions: self._submit(session, submissions),
            "effect_begin": lambda step: self._begin(session.order.task_id, step),
            "effect_done": lambda step, result: self._done(session.order.task_id, step, result),
        }
        return answers[call.name](**call.params)

    def _submit(self, session: Session, submissions: list[dict[str, Any]]) -> dict[str, str]:
        session.submitted += submissions
        return {s["key"]: str(uuid5(session.order.task_id, s["key"])) for s in submissions}

    def _begin(self, task: UUID, step: str) -> dict[str, Any]:
        if (task, step) not in self._effects:
            self._effects[task, step] = None
            return {"state": "new", "result": None}
        result = self._effects[task, step]
        return {"state": "begun" if result is None else "done", "result": result}

    def _done(self, task: UUID, step: str, result: Any) -> None:
        self._effects[task, step] = result


def _hear(said: list[str], text: str) -> None:
    said.append(text)


def upstream(key: str, session: Session, state: str = "done", **changes: Any) -> dict[str, Any]:
    """How a session looks to the tasks that depend on it."""
    found = {p.name: str(p) for p in session.order.artifacts.iterdir()}
    return {
        "task_id": str(session.order.task_id), "key": key, "skill": session.skill, "state": state,
        "verdict": "verified", "reason": "", "node": "n1", "seconds": session.report.seconds,
        "result": session.report.result, "attempts": 1, "artifacts": found, **changes,
    }  # fmt: skip


def git(folder: Path, *args: str, stdin: bytes = b"") -> str:
    """What git answers in a folder, apart from this machine's settings."""
    env = {
        "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@example.org",
    }  # fmt: skip
    ended = subprocess.run(["git", *args], cwd=folder, env=env, input=stdin, capture_output=True,
                           check=True, timeout=60)  # fmt: skip
    return ended.stdout.decode().strip()


def repository(folder: Path, files: Mapping[str, str], branch: str = "main") -> Path:
    """A git repository with one commit of these files."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", branch)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder
