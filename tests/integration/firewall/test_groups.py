"""The shipped groups give what they say, and no more."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User

from firewall.services import ensure_groups

pytestmark = pytest.mark.django_db

APPROVE = {f"firewall.approve_tier_{tier}" for tier in (1, 2, 3)}


def _rights(person: Callable[..., User], group: str) -> set[str]:
    return person("cleo", group).get_all_permissions()


@pytest.mark.parametrize("group", ["viewer", "operator", "approver", "admin"])
def test_everyone_sees_tasks_approvals_and_ledger(person: Callable[..., User], group: str) -> None:
    rights = _rights(person, group)

    assert {"ledger.view_event", "firewall.view_approval", "tasks.view_task"} <= rights


@pytest.mark.parametrize("group", ["viewer", "operator", "approver", "admin", "service"])
def test_nobody_may_edit_what_the_platform_writes(person: Callable[..., User], group: str) -> None:
    edits = {
        right
        for right in _rights(person, group)
        if right.startswith(("ledger.", "firewall.", "tasks.", "engine."))
        and right.partition(".")[2].startswith(("add_", "change_", "delete_"))
    }

    assert not edits


@pytest.mark.parametrize(
    ("group", "may_submit", "may_approve", "may_administer"),
    [
        ("viewer", False, False, False),
        ("operator", True, False, False),
        ("approver", False, True, False),
        ("admin", True, False, True),
        ("service", True, False, False),
    ],
)
def test_each_group_may_do_its_part(
    person: Callable[..., User],
    group: str,
    may_submit: bool,
    may_approve: bool,
    may_administer: bool,
) -> None:
    rights = _rights(person, group)

    assert ("firewall.submit_task" in rights) is may_submit
    assert rights >= APPROVE if may_approve else not rights & APPROVE
    assert ("firewall.administer" in rights) is may_administer
    assert ("auth.change_user" in rights) is may_administer


def test_what_was_added_to_a_group_by_hand_stays() -> None:
    viewer = Group.objects.get(name="viewer")
    extra = Group.objects.get(name="operator").permissions.get(codename="submit_task")
    viewer.permissions.add(extra)

    ensure_groups()

    assert extra in viewer.permissions.all()
