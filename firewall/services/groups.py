"""The groups that are shipped, and what each may do (F-12)."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from firewall.models import TIERS
from firewall.selectors import SERVICE_GROUP

_NEVER_SHOWN = Q(content_type__app_label__in=["sessions", "admin", "contenttypes"])
_OURS = Q(content_type__app_label="firewall")
_VIEW = Q(codename__startswith="view_") & ~_NEVER_SHOWN & ~Q(content_type__app_label="auth")
_SUBMIT = _OURS & Q(codename="submit_task")
_STOP = _OURS & Q(codename="stop")
_APPROVE = _OURS & Q(codename__in=[f"approve_tier_{tier}" for tier in TIERS])
# People and schedules; what the platform itself writes, nobody edits.
_ADMINISTER = (
    (_OURS & Q(codename="administer"))
    | Q(codename="erase_body")
    | Q(content_type__app_label__in=["auth", "django_celery_beat", "heartbeats"])
)

GROUPS = {
    "viewer": _VIEW,
    "operator": _VIEW | _SUBMIT | _STOP,
    "approver": _VIEW | _APPROVE | _STOP,
    "admin": _VIEW | _SUBMIT | _STOP | _ADMINISTER,
    SERVICE_GROUP: _SUBMIT,
}
"""An admin does not approve by that alone: a person may be in several groups. Whoever may act may
also stop everything; starting again is for those who administer."""


def ensure_groups() -> None:
    """Make the groups, and give them what they lack; what was added by hand stays."""
    for name, grants in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(grants))
