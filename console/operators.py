"""The first operator: the account that exists before anyone has signed in."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from console.services import keep_token

OPERATOR = "operator"
COMMAND_LINE = "command line"
GROUPS = ("admin", "approver")
"""An admin does not approve by that alone; the first operator is both."""


def ensure_operator(*, password: str, token: str) -> tuple[User, bool]:
    """The operator account and whether it is new; an existing one keeps the password it has."""
    with transaction.atomic():
        operator, fresh = User.objects.get_or_create(
            username=OPERATOR, defaults={"is_staff": True, "is_active": True}
        )
        if fresh:
            operator.set_password(password or None)
            operator.save(update_fields=["password"])
            operator.groups.add(*Group.objects.filter(name__in=GROUPS))
        if token:
            keep_token(operator, COMMAND_LINE, token)
    return operator, fresh
