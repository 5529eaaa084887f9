"""Only evidence makes a task done: twelve skills that lie, and twelve that do not (C-22, P3).

Two real nodes, a mail server, a web server, a repository and PostgreSQL; each skill runs twenty
times. Both skills of a pair are judged by the same verifier.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from autonomy.domain.states import State
from autonomy.sdk.evidence import Verdict
from autonomy.systemmap.models import Component
from autonomy.tasks import services
from autonomy.tasks.models import Task
from ledger.domain.evidence import digest
from ledger.models import Event, Outcome
from tests.acceptance.test_bad_skills import _open_folder
from tests.support.fleet import fleet
from tests.support.platform import PERSON
from tests.support.shop import Site, shop

pytestmark = [pytest.mark.timeout(240), pytest.mark.django_db]

SKILLS = Path(__file__).parent / "twelve"
RUNS = 20
SLOTS = 6
MOST_SECONDS = 200
LEAST_HONEST_DONE = 228  # of 240
AT_WORK = [State.READY, State.DISPATCHED, State.RUNNING, State.VERIFYING]


@dataclass(frozen=True)
class Tried:
    """How every run of every skill ended, and what the web server saw."""

    tasks: dict[UUID, Task]
    outcomes: dict[UUID, Outcome]
    site: Site
    numbers: dict[UUID, int]

    def of(self, kind: str) -> list[Task]:
        """The runs of the honest, or of the dishonest."""
        return [task for task in self.tasks.values() if task.skill.startswith(f"{kind}.")]

    def counted(self, kind: str) -> str:
        """How the runs of each skill ended, in words."""
        ends = Counter((task.skill, task.state, self._verdict(task)) for task in self.of(kind))
        return "\n".join(f"{n:3d} {' '.join(end)}" for end, n in sorted(ends.items()))

    def _verdict(self, task: Task) -> str:
        outcome = self.outcomes.get(task.id)
        return f"{outcome.verdict}: {outcome.reason[:200]}" if outcome else task.reason[:200]


@pytest.fixture(scope="module")
def tried(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tried]:
    """Each skill, twenty times, all at once."""
    with django_db_blocker.unblock(), _open_folder() as home:
        try:
            yield _tried(home)
        finally:
            call_command("flush", verbosity=0, interactive=False)


def test_no_dishonest_skill_is_ever_done(tried: Tried) -> None:
    done = [task for task in tried.of("dishonest") if task.state == State.DONE]

    assert len(tried.of("dishonest")) == 12 * RUNS
    assert done == [], tried.counted("dishonest")


def test_every_lie_is_seen_for_what_it_is(tried: Tried) -> None:
    refuted = Counter(
        task.skill for task in tried.of("dishonest")
        if (outcome := tried.outcomes.get(task.id)) and outcome.verdict == Verdict.REFUTED
    )  # fmt: skip

    assert min(refuted.values()) >= RUNS - 1, tried.counted("dishonest")
    assert len(refuted) == 12, tried.counted("dishonest")


def test_honest_skills_are_done(tried: Tried) -> None:
    done = [task for task in tried.of("honest") if task.state == State.DONE]

    assert len(tried.of("honest")) == 12 * RUNS
    assert len(done) >= LEAST_HONEST_DONE, tried.counted("honest")
    assert {tried.outcomes[task.id].verdict for task in done} == {Verdict.VERIFIED}


def test_every_verdict_has_evidence_with_an_id_that_the_chain_knows(tried: Tried) -> None:
    judged = {task_id: o for task_id, o in tried.outcomes.items() if o.verdict}
    bound = {
        UUID(event.stream_id): event.payload
        for event in Event.objects.filter(type__in=["task_done", "task_failed"])
    }

    assert len({o.evidence["id"] for o in judged.values()}) == len(judged)
    assert all(o.evidence["checks"] for o in judged.values())
    for task_id, outcome in judged.items():
        assert bound[task_id]["evidence_id"] == outcome.evidence["id"]
        assert bound[task_id]["evidence_sha256"] == digest(outcome.evidence)


def test_an_order_that_crashed_in_the_middle_was_placed_once(tried: Tried) -> None:
    placed = {
        tried.site.orders[f"orders-{tried.numbers[task.id]}"]
        for task in tried.of("honest") if task.skill == "honest.order"
    }  # fmt: skip
    twice = [
        task for task in tried.of("honest") if task.skill == "honest.order" and task.attempt > 1
    ]

    assert placed == {1}
    assert len(twice) == RUNS


def _tried(home: Path) -> Tried:
    numbers = iter(range(1, 24 * RUNS * 2))
    with shop(home / "world", iter(range(1, 24 * RUNS * 2))) as site:
        with fleet(home, SKILLS, nodes=("n1", "n2"), slots=SLOTS):
            given = {
                _submit(skill, home / "world", number): number
                for skill in _skills()
                for _, number in zip(range(RUNS), numbers, strict=False)
            }
            _wait(len(given))
        return Tried(
            Task.objects.in_bulk(list(given)), Outcome.objects.in_bulk(list(given)), site, given
        )


def _skills() -> list[str]:
    found = Component.objects.filter(kind="skill", name__regex="^(dis)?honest[.]")
    return list(found.order_by("name").values_list("name", flat=True))


def _submit(skill: str, world: Path, number: int) -> UUID:
    args = {"world": str(world), "number": number}
    return services.submit(skill, args, origin=PERSON, requested_by=PERSON).task_id


def _wait(given: int) -> None:
    give_up = time.monotonic() + MOST_SECONDS
    while left := Task.objects.filter(state__in=AT_WORK).count():
        assert time.monotonic() < give_up, f"{left} of {given} tasks are still at work"
        time.sleep(0.2)
