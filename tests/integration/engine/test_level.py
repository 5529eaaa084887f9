"""The autonomy level in force, at dispatch and at the claim (D-19, F-11)."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from autonomy.domain.reasons import Reason
from autonomy.domain.standing import standing_in_the_way
from autonomy.domain.states import State
from autonomy.domain.world import Purpose, ReadyTask, World
from autonomy.engine.selectors import explanation_of
from autonomy.engine.services.dispatch import dispatch
from autonomy.engine.services.restrain import keep_within_level
from autonomy.systemmap.models import Component
from autonomy.tasks import services
from autonomy.tasks.models import Task
from firewall import services as firewall
from firewall.domain.levels import Level
from firewall.models import Approval, Dial
from ledger.domain.ids import new_id
from ledger.models import Event
from tests.support.tasks import declare_skills, dispatched, join, submit

pytestmark = pytest.mark.django_db

WHY = "a test of the dial"


def turn_to(level: Level) -> None:
    """A person sets the ceiling."""
    root, _ = User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)
    firewall.set_ceiling(root, level, reason=WHY)


def has_preflight(*, skill: str, has: bool) -> None:
    declared = Component.objects.get(name=skill)
    declared.declaration = {**declared.declaration, "has_preflight": has}
    declared.save()


@dataclass(frozen=True)
class Case:
    """A task as it stands when a node wants to claim it."""

    tier: int
    preflight: bool
    planned: bool
    skill_plans: bool
    asked: bool  # a person approved these bytes

    @property
    def possible(self) -> bool:
        """A pre-flight is not approved, and tier 3 does not run without a person."""
        if self.preflight:
            return not self.asked
        return self.tier < 3 or self.asked


_YES_OR_NO = (False, True)
CASES = [
    case
    for tier in (1, 2, 3)
    for answers in product(_YES_OR_NO, repeat=4)
    if (case := Case(tier, *answers)).possible
]


def offered(case: Case) -> Task:
    """The task, dispatched to n1."""
    task = submit("one")
    state = State.PREFLIGHT if case.preflight else State.READY
    plan = {"go": True} if case.planned else None
    Task.objects.filter(pk=task.pk).update(tier=case.tier, state=state, plan=plan)
    if case.asked:
        Approval.objects.create(
            task_id=task.pk, skill="one", tier=case.tier, action="{}", action_digest="d",
            requested_by="service:x", decision="approved", decided_at=timezone.now(),
            decided_by=User.objects.get(username="root"),
            expires_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip
    return dispatched(Task.objects.get(pk=task.pk))


def in_the_core(case: Case) -> ReadyTask:
    return ReadyTask(
        id="t", skill="one", tier=case.tier, origin="o", ready_since=0,
        purpose=Purpose.PREFLIGHT if case.preflight else Purpose.RUN,
        approved=case.asked,
        unplanned=(
            case.skill_plans and case.tier == 1 and not case.planned and not case.preflight
        ),
    )  # fmt: skip


@pytest.mark.parametrize("level", Level)
def test_the_claim_lets_start_what_the_core_would_dispatch(level: Level) -> None:
    node = join(slots=100)
    declare_skills(one=1)
    turn_to(level)
    differ = []
    for case in CASES:
        has_preflight(skill="one", has=case.skill_plans)
        task = offered(case)
        wanted = services.Claim(task.id, task.epoch, new_id(), "v1", "d", needs_approval=case.asked)

        taken = bool(services.claim("n1", node, [wanted]))

        world = World(now=0, level=level)
        if taken is not (standing_in_the_way(in_the_core(case), world) is None):
            differ.append(case)

    assert len(CASES) > 20
    assert differ == []


def test_without_the_row_nothing_is_claimed() -> None:
    node = join()
    declare_skills(one=1)
    task = dispatched(submit())
    Dial.objects.all().delete()

    wanted = services.Claim(task.id, task.epoch, new_id(), "v1", "d", needs_approval=False)
    assert services.claim("n1", node, [wanted]) == []


@pytest.mark.parametrize(
    ("level", "goes"), [(Level.FULL, True), (Level.CAREFUL, False), (Level.OFF, False)]
)
def test_a_task_of_tier_one_that_can_be_planned_runs_unplanned_only_at_full(
    level: Level, goes: bool
) -> None:
    join()
    declare_skills(one=1)
    task = submit()
    turn_to(level)

    assert dispatch({}).count == int(goes)
    told = explanation_of(task.id)
    assert (told.reason is Reason.AUTONOMY_LEVEL) is not goes
    if not goes:
        assert "was set to" in told.words
        assert WHY in told.words


def test_careful_sends_tier_one_through_its_pre_flight_first() -> None:
    join()
    declare_skills(one=1, plain=1)
    has_preflight(skill="plain", has=False)
    plans, plain = submit("one"), submit("plain")
    turn_to(Level.CAREFUL)

    assert keep_within_level() == 1

    assert Task.objects.get(pk=plans.pk).state == State.PREFLIGHT
    assert Task.objects.get(pk=plain.pk).state == State.READY
    assert Event.objects.get(type="task_sent_back").payload["level"] == "careful"
    assert keep_within_level() == 0


def test_ask_sends_back_what_of_tier_two_no_person_approved() -> None:
    join()
    declare_skills(two=2)
    asked, alone = submit("two"), submit("two")
    Task.objects.update(state=State.READY, plan={"go": True})
    turn_to(Level.ASK)
    Approval.objects.create(
        task_id=asked.pk, skill="two", tier=2, action="{}", action_digest="d",
        requested_by="service:x", decision="approved", decided_at=timezone.now(),
        decided_by=User.objects.get(username="root"),
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip

    assert keep_within_level() == 1

    assert Task.objects.get(pk=asked.pk).state == State.READY
    back = Task.objects.get(pk=alone.pk)
    assert (back.state, back.plan, back.epoch) == (State.PREFLIGHT, None, 1)
