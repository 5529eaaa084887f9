"""What each app does on every node, about every second: composed here, run by the supervisor."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

import heartbeats.services
from autonomy.node.services.looks import Looks
from firewall.domain.levels import Level
from firewall.selectors import level
from ledger import services as ledger


@dataclass
class Every:
    """Does something at most once in so many seconds, in this process."""

    seconds: float
    due: float = 0.0

    def __call__(self, act: Callable[[], object]) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.seconds
            act()


_hourly = Every(3600)


def watch(looks: Looks) -> None:
    """Notice what is due and let detectors look, unless everything is stopped (C-5, F-11)."""
    if level() is not Level.OFF:
        heartbeats.services.sweep(looks)


def seal(_: Looks) -> None:
    """Seal what was recorded, and write the head of the chain down outside the database (C-24)."""
    if ledger.seal():
        ledger.anchor()


def turn_months(_: Looks) -> None:
    """Make the coming months of outcomes and drop what was kept long enough (C-25)."""
    _hourly(lambda: ledger.turn_months(actor=f"node:{settings.AUTONOMY_NODE}"))
