"""The recorded, time-boxed exception for a platform that has one operator."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from firewall.domain.rules import SHORTEST_REASON
from firewall.models import SoloMode
from firewall.selectors import decider, principal
from ledger.domain.storable import text
from ledger.selectors import database_time
from ledger.services import Fact, record

LONGEST = timedelta(days=1)


class SoloRefused(Exception):
    """Solo mode was not begun; the message says why."""


@transaction.atomic
def begin_solo(person: User, *, lasting: timedelta, reason: str) -> SoloMode:
    """Let this person, for a while, approve what they themselves request."""
    by = decider(person)
    if by.service or not by.active or not person.has_perm("firewall.administer"):
        raise SoloRefused("only an active person who may administer the platform can begin it")
    if not timedelta(0) < lasting <= LONGEST:
        raise SoloRefused("it may last up to 24 hours")
    if len(reason.strip()) < SHORTEST_REASON:
        raise SoloRefused("it needs a reason of three characters or more")
    now = database_time()
    mode = SoloMode.objects.create(
        by=person, reason=text(reason), created_at=now, until=now + lasting
    )
    record(_fact("solo_began", mode, until=mode.until.isoformat(), reason=reason))
    return mode


@transaction.atomic
def end_solo(person: User) -> int:
    """End it before its time; how many there were."""
    rows = SoloMode.objects.filter(by=person, until__gt=Now(), ended_at=None).select_for_update()
    ended = list(rows)
    SoloMode.objects.filter(pk__in=[mode.pk for mode in ended]).update(ended_at=Now())
    record(*(_fact("solo_ended", mode) for mode in ended))
    return len(ended)


def _fact(event: str, mode: SoloMode, **more: str) -> Fact:
    actor = principal(mode.by)
    return Fact(type=event, stream="platform", stream_id="solo", actor=actor, payload=more)
