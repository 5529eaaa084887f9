"""Statements and messages per operation, whatever the number of tasks (docs/cost-of-a-task.md)."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autonomy.domain.states import State
from autonomy.engine.services.dispatch import dispatch
from autonomy.engine.services.loop import Engine
from autonomy.tasks import services
from autonomy.tasks.models import Task
from ledger.domain.ids import new_id
from tests.support.tasks import claimed, declare_skills, dispatched, ending, join, submit

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[2] / "docs" / "cost-of-a-task.md"
BATCH = 50
_TRANSACTION = re.compile(r"^(SAVEPOINT|RELEASE|BEGIN|COMMIT)")


@pytest.fixture(autouse=True)
def _map() -> None:
    join(slots=BATCH * 3)
    declare_skills(one=1)


def documented() -> dict[str, int]:
    """The table of the document: operation → statements."""
    rows = re.findall(r"^\| ([a-z][a-z0-9 ,]*?) \| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)
    return {operation: int(count) for operation, count in rows}


def statements(act: Callable[[], object]) -> int:
    """How many statements it takes, beside those that begin and end the transaction."""
    with CaptureQueriesContext(connection) as queries:
        act()
    return sum(not _TRANSACTION.match(query["sql"]) for query in queries)


def claims(tasks: list[Task]) -> list[services.Claim]:
    return [services.Claim(t.id, t.epoch, new_id(), "v1", "d", needs_approval=False) for t in tasks]


def settled(count: int) -> int:
    node = join(slots=BATCH * 3)
    taken = [claimed(dispatched(submit()), node) for _ in range(count)]
    end = services.SessionEnd(ended="failed", error="x")
    endings = [ending(t, State.FAILED, session=end) for t in taken]
    return statements(lambda: services.settle(endings))


def kept(count: int) -> int:
    node = join(slots=BATCH * 3)
    taken = [claimed(dispatched(submit()), node) for _ in range(count)]
    end = services.SessionEnd(ended="ok")
    left = [services.Left(t.task_id, t.epoch, t.session_id, 1, end, 60.0) for t in taken]
    return statements(lambda: services.await_evidence_of(left))


@pytest.mark.parametrize("others", [0, 100])
def test_each_operation_takes_the_statements_that_are_documented(others: int) -> None:
    for _ in range(others):
        submit(run_at="2090-01-01T00:00Z")
    node = join(slots=BATCH * 3)
    ask = partial(services.submit, "one", {}, origin="person:ada", requested_by="person:ada")
    engine = Engine(lambda _: None)
    engine.work()  # it leads, and has thought once
    found = {"pass with nothing to do": statements(engine.work)}
    engine.think_at = 0.0
    found["thought between passes"] = statements(engine.work)
    found["thought between passes"] -= found["pass with nothing to do"]
    found["submit"] = statements(ask)
    for _ in range(BATCH - 1):
        submit()
    found["dispatch of a batch of 50"] = statements(lambda: dispatch({}))
    waiting = list(Task.objects.filter(state=State.DISPATCHED))
    assert len(waiting) == BATCH
    found["claim of a batch of 50"] = statements(
        lambda: services.claim("n1", node, claims(waiting))
    )
    found["results of a batch of 50"] = kept(BATCH)
    found["settle of a batch of 50"] = settled(BATCH)
    running = Task.objects.filter(state=State.RUNNING, session_id__isnull=False)
    held = [(t.id, t.epoch, t.session_id) for t in running if t.session_id]
    first = held[0]
    pay = partial(services.spend, first[2], first[1], tokens=0, dollars=Decimal(0))
    found["spend"] = statements(pay)
    found["renew all leases of a node"] = statements(lambda: services.renew(held))

    assert found == documented()
    assert kept(1) == found["results of a batch of 50"]
    assert settled(1) == found["settle of a batch of 50"]
