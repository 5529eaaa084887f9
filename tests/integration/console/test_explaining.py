"""Stuck tasks: the one binding reason is named on the terminal and in the admin (D-21)."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from autonomy.domain.reasons import Reason
from autonomy.domain.states import State
from autonomy.engine.models import NodeStanding
from autonomy.systemmap.models import Component, Node
from autonomy.tasks.models import Task
from console.host.home import CHECKOUT
from firewall import services as firewall
from firewall.domain.levels import Level
from tests.integration.console.conftest import Autonomy
from tests.support.tasks import declare_skills, dispatched, join, submit

pytestmark = pytest.mark.django_db

Stuck = Callable[[], Task]


@pytest.fixture(autouse=True)
def _map(db: None) -> None:
    join()
    declare_skills(one=1, two=2, three=3)


def changed(task: Task, **columns: object) -> Task:
    Task.objects.filter(pk=task.pk).update(**columns)
    return Task.objects.get(pk=task.pk)


def no_capable_node() -> Task:
    skill = Component.objects.get(name="one")
    skill.declaration = {**skill.declaration, "labels": ["gpu"]}
    skill.save()
    return submit()


def tier_pool_empty() -> Task:
    Node.objects.update(tiers=[1, 2])
    return submit("three")


def silent_node() -> Task:
    Node.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    return submit()


def unwell_node() -> Task:
    NodeStanding.objects.create(
        node="n1", unwell="does not claim: a task waited there for 25 s beside a free slot",
        since=timezone.now(), failures=1,
    )  # fmt: skip
    return submit()


def approval() -> Task:
    task = submit("three")
    changed(task, state=State.HELD, reason="approval")
    return task


def autonomy_level() -> Task:
    root = User.objects.create_superuser("root")
    firewall.set_ceiling(root, Level.OFF, reason="the auditors are here")
    return submit()


def paused() -> Task:
    Component.objects.filter(name="one").update(paused=True)
    return submit()


def dependency() -> Task:
    return submit(depends_on=[submit().id])


def not_due() -> Task:
    return submit(run_at=timezone.now() + timedelta(minutes=90))


def back_off() -> Task:
    later = timezone.now() + timedelta(minutes=3)
    return changed(submit(), attempt=1, run_at=later, reason="transient: the mail server is away")


def ambiguous() -> Task:
    return changed(submit("three"), state=State.HELD, reason="ambiguous: was the mail sent?")


def damaged_declaration() -> Task:
    skill = Component.objects.get(name="one")
    skill.declaration = {**skill.declaration, "labels": 7}
    skill.save()
    return submit()


def work_ahead() -> Task:
    join(slots=1)
    dispatched(submit())
    for _ in range(2):
        submit(priority_hint=5)
    return submit()


def far_behind() -> Task:
    join(slots=0)
    for _ in range(301):
        submit(priority_hint=5)
    Node.objects.update(seen_at=timezone.now())  # it pings, however long this took
    return submit()


SITUATIONS: dict[Stuck, tuple[Reason, str]] = {
    no_capable_node: (Reason.NO_CAPABLE_NODE, "n1 lacks the label gpu"),
    tier_pool_empty: (Reason.TIER_POOL_EMPTY, "no node takes tier 3"),
    silent_node: (Reason.TIER_POOL_EMPTY, "n1 is not alive"),
    unwell_node: (Reason.TIER_POOL_EMPTY, "n1 does not claim"),
    approval: (Reason.APPROVAL, "waits for a person's approval"),
    autonomy_level: (Reason.AUTONOMY_LEVEL, "by person:root: the auditors are here"),
    paused: (Reason.PAUSED, "one is paused"),
    dependency: (Reason.DEPENDENCY, "waits for one task: one is ready, about 10 s to go"),
    not_due: (Reason.NOT_DUE, "it is due in 90 min"),
    back_off: (Reason.BACK_OFF, "attempt 1 of 3 failed; the next one is in 3 min"),
    ambiguous: (Reason.QUARANTINE, "an effect was begun and nobody can tell if it happened"),
    damaged_declaration: (Reason.QUARANTINE, "the declaration of one is damaged"),
    work_ahead: (Reason.PRIORITY, "2 of 3 waiting tasks come first"),
    far_behind: (Reason.PRIORITY, "301 tasks of person:ada alone come first"),
}
CANNOT_BE_YET = {Reason.KEY_LIMIT, Reason.RATE, Reason.BUDGET}
"""There are no limits per key, no rates, and nothing is spent: nothing could cause them."""


@pytest.mark.parametrize("stuck", SITUATIONS, ids=lambda stuck: stuck.__name__)
def test_the_binding_reason_is_named_on_the_terminal_and_in_the_admin(
    stuck: Stuck, autonomy: Autonomy, desk: Client
) -> None:
    reason, words = SITUATIONS[stuck]
    task = stuck()

    shape = autonomy("explain", str(task.pk), "--json").shape
    page = desk.get(f"/admin/tasks/task/{task.pk}/change/").content.decode()

    assert shape["reason"] == reason.value
    said = " ".join(shape["sentences"])
    assert words in said
    assert shape["sentences"][0].replace("'", "&#x27;")[:40] in page


def test_each_reason_that_can_occur_has_its_situation() -> None:
    assert {reason for reason, _ in SITUATIONS.values()} == set(Reason) - CANNOT_BE_YET


def test_the_reasons_that_cannot_occur_yet_are_made_up_nowhere() -> None:
    named = "|".join(f"Reason.{reason.name}" for reason in CANNOT_BE_YET)
    code = [path for path in Path(CHECKOUT, "autonomy").rglob("*.py") if path.name != "reasons.py"]

    assert [path for path in code if re.search(named, path.read_text())] == []


def test_the_rank_is_told_with_the_reason(autonomy: Autonomy) -> None:
    task = work_ahead()

    details = autonomy("explain", str(task.pk), "--json").shape["details"]

    assert (details["rank"], details["of"]) == (3, 3)
