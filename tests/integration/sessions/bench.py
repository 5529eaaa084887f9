"""A small supervisor: runs orders in a pool, answers their calls from memory, collects reports.

Run as a program (`python -m tests.integration.sessions.bench`) it takes a plan on stdin and prints
what came of it, so that the same can be tried as another user.
"""

import json
import os
import selectors
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions import folders, kernel, seccomp
from autonomy.sessions.orders import Order, Purpose, Report
from autonomy.sessions.pool import Call, Ended, Output, SessionPool, Started
from autonomy.sessions.seccomp import Sockets
from tests.support.workers import worker

BEHAVIOURS = Path(__file__).parent / "behaviours"
_AT_ONCE = 4
STRANGER = 64_321 + 16 * worker()
"""A user id that nobody has. As root, no session runs without a user of its own.

A user's processes may be ended all at once, so no two workers of the tests share one.
"""
NOON = "2026-01-01T12:00:00Z"


class Bench:
    """A pool with the behaviours loaded, and a home for the folders of its sessions."""

    def __init__(self, home: Path, *, uid: int | None = None, **pool: Any) -> None:
        self.home = home
        self.uid = STRANGER if uid is None and os.getuid() == 0 else uid
        self.pool = SessionPool((BEHAVIOURS,), **pool)
        self.effects: dict[str, dict[str, Any]] = {}
        self.said: list[str] = []
        self.printed: dict[UUID, str] = {}
        self.pids: dict[UUID, int] = {}
        self.refusing = ""

    def __enter__(self) -> Self:
        self.pool.start()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.pool, selectors.EVENT_READ)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._selector.close()
        self.pool.close()

    def order(self, component: str, purpose: Purpose = Purpose.RUN, **more: Any) -> Order:
        """An order with fresh folders."""
        session_id = uuid4()
        more["limits"] = Limits(**more.get("limits", {}))
        more["scope"] = Scope(**more.get("scope", {}))
        given = {
            "task_id": uuid4(),
            "folder": folders.fresh(self.home / f"{session_id}", uid=self.uid),
            "artifacts": folders.fresh(self.home / f"{session_id}.artifacts", uid=self.uid),
            "uid": self.uid,
            **more,
        }
        return Order(session_id=session_id, purpose=purpose, component=component, **given)

    def run(self, component: str, purpose: Purpose = Purpose.RUN, **more: Any) -> Report:
        """What came of one order."""
        return self.reports(self.order(component, purpose, **more))[0]

    def look(self, detector: str, **params: Any) -> Order:
        """An order for one look."""
        return self.order(
            detector,
            Purpose.DETECT,
            params=params,
            limits={"wall_seconds": 1},
            database_url=os.environ["DATABASE_URL"],
            now=NOON,
            due_at=NOON,
        )

    def reports(self, *orders: Order, timeout: float = 30) -> list[Report]:
        """What came of these orders, in their order."""
        for order in orders:
            self.pool.spawn(order)
        return self.wait(*(order.session_id for order in orders), timeout=timeout)

    def wait(self, *ids: UUID, timeout: float = 30) -> list[Report]:
        """Serve until all of these have ended."""
        ended: dict[UUID, Report] = {}
        until = time.monotonic() + timeout
        while not ended.keys() >= set(ids) and time.monotonic() < until:
            self.serve(ended)
        return [ended[session_id] for session_id in ids]

    def serve(self, ended: dict[UUID, Report], patience: float = 0.2) -> None:
        """Handle what comes next."""
        self._selector.select(patience)
        for event in self.pool.handle_ready():
            match event:
                case Started():
                    self.pids[event.session_id] = event.pid
                case Output():
                    self.printed[event.session_id] = (
                        self.printed.get(event.session_id, "") + event.text
                    )
                case Call():
                    self._serve(event)
                case Ended():
                    ended[event.session_id] = event.report

    def _serve(self, call: Call) -> None:
        if self.refusing:
            self.pool.refuse(call, self.refusing, "refused by the bench")
            return
        self.pool.answer(call, getattr(self, f"_{call.name}")(**call.params))

    def _effect_begin(self, step: str) -> dict[str, Any]:
        known = self.effects.get(step)
        if known is None:
            self.effects[step] = {"state": "begun", "result": None}
            return {"state": "new", "result": None}
        return known

    def _effect_done(self, step: str, result: Any) -> None:
        self.effects[step] = {"state": "done", "result": result}

    def _say(self, text: str) -> None:
        self.said.append(text)

    def _submit(self, submissions: list[dict[str, Any]]) -> dict[str, str]:
        self.effects["submitted"] = {"state": "done", "result": submissions}
        return {item["key"]: str(uuid4()) for item in submissions}


def with_neighbours(bench: Bench, plans: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Run each plan beside a quiet neighbour; what came of both."""
    waiting = list(plans.items())
    pairs: dict[str, tuple[UUID, UUID]] = {}
    ended: dict[UUID, Report] = {}
    until = time.monotonic() + 60
    while time.monotonic() < until and (waiting or len(ended) < 2 * len(pairs)):
        while waiting and 2 * len(pairs) - len(ended) < 2 * _AT_ONCE:
            name, plan = waiting.pop(0)
            orders = bench.order(**plan), bench.order("calm.neighbour")
            for order in orders:
                bench.pool.spawn(order)
            pairs[name] = (orders[0].session_id, orders[1].session_id)
        bench.serve(ended)
    return {
        name: {
            "report": ended[own].model_dump(mode="json"),
            "neighbour": ended[other].model_dump(mode="json"),
        }
        for name, (own, other) in pairs.items()
    }


def main() -> None:
    """A plan from stdin, what came of it to stdout; `contained` as most containers are."""
    plan = json.load(sys.stdin)
    home = Path(plan["home"]) / f"by-{os.getuid()}-{plan['strongest']}-{plan['contained']}"
    home.mkdir(mode=0o755)
    if plan["contained"]:
        kernel.no_new_privileges()
        seccomp.filter_for(Sockets.NETWORK).install()
    with Bench(home, strongest=plan["strongest"]) as bench:
        found = with_neighbours(bench, plan["plans"])
        isolation = bench.pool.isolation
    json.dump({"found": found, "level": isolation.level if isolation else None}, sys.stdout)


if __name__ == "__main__":
    main()
