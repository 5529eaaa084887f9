"""Turning the dial: the ceiling by a person, the level below it by the engine (D-19, F-11).

One row says how much may run alone. Every claim and every dispatch reads it, so that a turn is
felt at once, with or without Redis. Where the row is missing nothing starts.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from firewall.domain.levels import Level, of_rank
from firewall.domain.rules import SHORTEST_REASON
from firewall.models import Dial
from firewall.selectors import decider
from ledger.domain.storable import text
from ledger.services import Fact, record

logger = logging.getLogger(__name__)


class DialRefused(Exception):
    """The dial was not turned; the message says why."""


@dataclass(frozen=True)
class Turned:
    """What is in force now, what was before, and why."""

    level: Level
    before: Level
    by: str
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether another level is in force than before."""
        return self.level is not self.before


hearers: list[Callable[[Turned], object]] = []
"""Who is told, once, of each change of the level in force, after its commit."""


def ensure_dial() -> None:
    """Make the one row, everything allowed, where it is missing."""
    Dial.objects.get_or_create(pk=Dial.ONLY)


def set_ceiling(person: User, level: Level, *, reason: str) -> Turned:
    """The most that may run alone from now on, by a person's word; raises DialRefused."""
    by = _allowed(person, "firewall.administer", reason)
    return _set_ceiling(level, by=by, reason=reason, event="autonomy_ceiling_set")


def stop(person: User, *, reason: str) -> Turned:
    """Nothing starts until somebody resumes; raises DialRefused (F-11)."""
    by = _allowed(person, "firewall.stop", reason)
    return _set_ceiling(Level.OFF, by=by, reason=reason, event="autonomy_stopped")


def resume(person: User, *, reason: str) -> Turned:
    """The ceiling from before the stop again; raises DialRefused."""
    by = _allowed(person, "firewall.administer", reason)
    with transaction.atomic():
        row = _locked()
        if of_rank(row.ceiling) is not Level.OFF:
            raise DialRefused(f"nothing is stopped: the ceiling is {of_rank(row.ceiling)}")
        back = of_rank(row.resume_to)
        return _set_ceiling(back, by=by, reason=reason, event="autonomy_resumed")


@transaction.atomic
def choose(level: Level, *, reason: str, evidence: Mapping[str, Any]) -> Turned:
    """The level that the evidence allows, under whatever ceiling there is."""
    row = _locked()
    row.chosen, row.chosen_reason, row.evidence = level.rank, text(reason), dict(evidence)
    row.chosen_at = Now()
    return _written(row, by="engine", reason=reason, evidence=evidence)


@transaction.atomic
def notice_turn() -> Turned:
    """Record a turn that was made in the row itself, past every service."""
    row = _locked()
    reason = "the row was changed in the database"
    return _told(row, by="database", reason=reason, evidence={"ceiling": of_rank(row.ceiling)})


@transaction.atomic
def _set_ceiling(level: Level, *, by: str, reason: str, event: str) -> Turned:
    row = _locked()
    was = of_rank(row.ceiling)
    if level is Level.OFF and was is not Level.OFF:
        row.resume_to = row.ceiling
    row.ceiling, row.ceiling_by, row.ceiling_reason = level.rank, text(by), text(reason)
    row.ceiling_at = Now()
    turned = _written(row, by=by, reason=reason, evidence={"ceiling": level, "was": was})
    record(_fact(event, by, {"ceiling": level, "was": was, "reason": reason}))
    return turned


def _allowed(person: User, permission: str, reason: str) -> str:
    """Who turns the dial; raises DialRefused."""
    by = decider(person)
    if by.service or not by.active or not person.has_perm(permission):
        raise DialRefused(f"only an active person with the permission {permission} may do this")
    if len(reason.strip()) < SHORTEST_REASON:
        raise DialRefused("it needs a reason of three characters or more")
    return by.principal


def _locked() -> Dial:
    ensure_dial()
    return Dial.objects.select_for_update().get(pk=Dial.ONLY)


def _written(row: Dial, *, by: str, reason: str, evidence: Mapping[str, Any]) -> Turned:
    row.save()
    row.refresh_from_db()
    return _told(row, by=by, reason=reason, evidence=evidence)


def _told(row: Dial, *, by: str, reason: str, evidence: Mapping[str, Any]) -> Turned:
    """Tell of the level in force, if it is another than was told of last."""
    turned = Turned(of_rank(row.in_force), of_rank(row.told), by, reason, evidence)
    if turned.changed:
        Dial.objects.filter(pk=row.pk).update(told=row.in_force, changed_at=Now())
        payload = {"level": turned.level, "was": turned.before, "reason": reason}
        record(_fact("autonomy_level_changed", by, {**payload, "evidence": dict(evidence)}))
        transaction.on_commit(lambda: _tell(turned))
    return turned


def _tell(turned: Turned) -> None:
    """One that fails keeps no other from hearing, and undoes nothing."""
    for hearer in hearers:
        try:
            hearer(turned)
        except Exception:
            logger.exception("somebody could not be told that the level is %s", turned.level)


def _fact(event: str, by: str, payload: dict[str, Any]) -> Fact:
    return Fact(type=event, stream="platform", stream_id="autonomy", actor=by, payload=payload)
