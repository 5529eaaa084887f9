"""People, and questions put to them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from firewall.domain.action import Action
from firewall.models import Approval
from firewall.services import Request, request
from ledger.domain.ids import new_id
from ledger.models import Event
from ledger.selectors import database_time
from tests.support.walls import walls_down


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes an account: its name, and the groups it is in."""

    def make(name: str, *groups: str, **more: Any) -> User:
        account = User.objects.create_user(name, password=name, **more)
        account.groups.set(Group.objects.filter(name__in=groups))
        assert account.groups.count() == len(groups)
        return account

    return make


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada", "approver", is_staff=True)


@pytest.fixture
def ben(person: Callable[..., User]) -> User:
    return person("ben", "approver", is_staff=True)


def question(
    *, requested_by: str = "service:beat", lasting: float = 3600, diff: str = "", **action: Any
) -> Request:
    """A question about some action; what matters to a test is given."""
    task_id = action.pop("task_id", None) or new_id()
    given = {
        "skill": "mail.send",
        "version": "1f3a",
        "args": {"to": "ada@example.org"},
        "scope": {},
        "tier": 3,
        "idempotency_key": str(task_id),
        "expires_at": (database_time() + timedelta(seconds=lasting)).isoformat(),
        **action,
    }
    return Request(
        task_id=task_id,
        action=Action(**given),
        requested_by=requested_by,
        summary="send a mail",
        diff=diff,
        cause=("schedule:nightly",),
    )


def asked(**changes: Any) -> Approval:
    """An approval that waits for an answer."""
    return request(question(**changes))


def expired(**changes: Any) -> Approval:
    """An approval whose time is up and which nobody has swept."""
    approval = asked(**changes)
    with walls_down():
        Approval.objects.filter(pk=approval.pk).update(
            expires_at=database_time() - timedelta(seconds=1)
        )
    return approval


def events() -> list[str]:
    """The types of what the ledger was told, in order."""
    return list(Event.objects.order_by("id").values_list("type", flat=True))
