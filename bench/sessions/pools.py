"""Our sessions: a pool with its zygote, at one level of isolation, without a database."""

import os
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from autonomy.node.services.folders import Folders
from autonomy.sessions import isolation
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.pool import Ended, SessionPool, Started
from bench.sessions.arms import Round
from bench.usage import cpu_seconds, own_bytes, proportional_bytes

SKILLS = Path(__file__).parent / "skills"

_AT_ONCE = 2
_USERS = 0x7000_0000
_PATIENCE_SECONDS = 30


class Pool:
    """Sessions at one level, two at a time, as users of their own where the bench runs as root."""

    share = 1.0

    def __init__(self, pool: SessionPool, home: Path, level: int) -> None:
        self.name = f"session, level {level}"
        self.level = level
        self._pool = pool
        self._home = home
        self._selector = selectors.DefaultSelector()
        self._selector.register(pool, selectors.EVENT_READ)

    def run(self, tasks: int) -> Round:
        """First some one by one for their latencies, then the rest two at a time for the rate."""
        begins, latencies = self._one_by_one(max(2, tasks // 3))
        pids = [os.getpid(), self._pool.pid]
        before, began = cpu_seconds(pids), time.monotonic()
        self._drain(tasks)
        seconds = time.monotonic() - began
        return Round(tasks, seconds, cpu_seconds(pids) - before, latencies, begins)

    def memory(self) -> dict[str, int]:
        """Bytes of the zygote, and what one session has for itself."""
        order, folders = self._order("idle.wait", 0, seconds=0.5)
        self._pool.spawn(order)
        pid = self._pid_of(order.session_id)
        time.sleep(0.3)
        found = {"zygote": proportional_bytes(self._pool.pid), "session": own_bytes(pid)}
        self._wait({order.session_id: folders})
        return found

    def _one_by_one(self, tasks: int) -> tuple[list[float], list[float]]:
        begins, latencies = [], []
        for _ in range(tasks):
            order, folders = self._order("idle.nothing", 0)
            handed = time.monotonic()
            self._pool.spawn(order)
            report = self._wait({order.session_id: folders})[order.session_id]
            latencies.append(time.monotonic() - handed)
            begins.append(report.result - handed)
        return begins, latencies

    def _drain(self, tasks: int) -> None:
        running: dict[UUID, Folders] = {}
        begun = 0
        while begun < tasks or running:
            while begun < tasks and len(running) < _AT_ONCE:
                order, folders = self._order("idle.nothing", begun % _AT_ONCE)
                running[order.session_id] = folders
                self._pool.spawn(order)
                begun += 1
            self._hear(running, {})

    def _wait(self, running: dict[UUID, Folders]) -> dict[UUID, Report]:
        reports: dict[UUID, Report] = {}
        until = time.monotonic() + _PATIENCE_SECONDS
        while running and time.monotonic() < until:
            self._hear(running, reports)
        return reports

    def _hear(self, running: dict[UUID, Folders], reports: dict[UUID, Report]) -> None:
        self._selector.select(1)
        for event in self._pool.handle_ready():
            if isinstance(event, Ended):
                running.pop(event.session_id).remove()
                reports[event.session_id] = _good(event.report)

    def _pid_of(self, session_id: UUID) -> int:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            self._selector.select(1)
            for event in self._pool.handle_ready():
                if isinstance(event, Started) and event.session_id == session_id:
                    return event.pid
        raise RuntimeError("a session was not begun")

    def _order(self, skill: str, slot: int, **args: float) -> tuple[Order, Folders]:
        session_id = uuid4()
        uid = _USERS + slot if os.geteuid() == 0 else None
        folders = Folders.make(self._home, session_id, uid)
        order = Order(
            session_id=session_id,
            task_id=session_id,
            purpose=Purpose.RUN,
            component=skill,
            args=args,
            folder=folders.work,
            artifacts=folders.artifacts,
            temps=self._home,
            uid=uid,
        )
        return order, folders


@contextmanager
def pool(home: Path, level: int) -> Iterator[Pool]:
    """A pool at that level, for as long as the block runs."""
    running = SessionPool((SKILLS,), strongest=level)
    running.start()
    try:
        yield Pool(running, home, level)
    finally:
        running.close()


def levels() -> range:
    """Those that this machine offers."""
    return range(isolation.detect().level + 1)


def _good(report: Report) -> Report:
    if report.ended is not End.OK:
        raise RuntimeError(f"a session ended as {report.ended}: {report.error}")
    return report
