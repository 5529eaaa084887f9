"""What the supervisor of a node does about detectors, about every second."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Protocol

from django.conf import settings
from django.db import DataError, IntegrityError

from autonomy.sessions.orders import End, Report
from heartbeats.sdk import Unreachable
from heartbeats.selectors import waiting
from heartbeats.services.looking import (
    LEASE_SECONDS,
    TakenTick,
    TickLost,
    claim_ticks,
    fail,
    finish,
    finish_quiet,
    release,
)
from heartbeats.services.noticing import notice
from heartbeats.services.retention import forget_ticks

AHEAD = 256
"""So many ticks a node takes before it can look for all of them; other nodes find the rest."""
LOOK_SECONDS = 1.0
NETWORK_LOOK_SECONDS = 10.0
FORGET_SECONDS = 60.0
_NOT_THE_DETECTORS_FAULT = frozenset({End.LOST, End.CANCELLED})

logger = logging.getLogger(__name__)


class Looks(Protocol):
    """Where looks run: in read-only processes beside the tasks of a node."""

    @property
    def free(self) -> int:
        """How many more may be started now."""

    def detect(
        self,
        detector: str,
        *,
        params: Mapping[str, Any],
        due_at: datetime,
        now: datetime,
        timeout: float,
        network: bool,
        on_done: Callable[[Report], None],
    ) -> None:
        """Let a detector look once; its report comes later, on the thread that sweeps."""


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    settled: int = 0
    noticed: int = 0
    started: int = 0


class Lookout:
    """One node's part: the ticks it has taken, and the reports that are not written down yet."""

    def __init__(self, node: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.node = node
        self._clock = clock
        self._taken: deque[tuple[TakenTick, float]] = deque()  # with the end of its lease
        self._reports: deque[tuple[TakenTick, Report]] = deque()
        self._quiet: list[tuple[TakenTick, str]] = []
        self._lost: list[TakenTick] = []
        self._forget_at = clock() + FORGET_SECONDS

    def sweep(self, looks: Looks) -> Swept:
        """Write down what was found, notice what is due, take it, look; one statement if idle."""
        settled = self._settle()
        found = waiting(self.node)
        noticed = notice() if found.watches else 0
        if found.ticks or noticed:
            self._take()
        self._forget()
        return Swept(settled, noticed, self._start(looks))

    def _forget(self) -> None:
        if self._clock() >= self._forget_at:
            forget_ticks()
            self._forget_at = self._clock() + FORGET_SECONDS

    def _take(self) -> None:
        room = AHEAD - len(self._taken)
        until = self._clock() + LEASE_SECONDS  # before the claim, so that ours ends first
        if room > 0:
            self._taken.extend((tick, until) for tick in claim_ticks(self.node, room))

    def _start(self, looks: Looks) -> int:
        started = 0
        while self._taken and looks.free > 0:
            tick, until = self._taken.popleft()
            timeout = NETWORK_LOOK_SECONDS if tick.network else LOOK_SECONDS
            if until - self._clock() <= timeout:
                logger.info("the lease of %s ran out before its look", tick.watch)
                continue
            started += 1
            looks.detect(
                tick.detector,
                params=tick.params,
                due_at=tick.due_at,
                now=tick.now,
                timeout=timeout,
                network=tick.network,
                on_done=partial(self._done, looks, tick),
            )
        return started

    def _done(self, looks: Looks, tick: TakenTick, report: Report) -> None:
        self._reports.append((tick, report))
        if report.ended not in _NOT_THE_DETECTORS_FAULT:  # else there may be nothing to look with
            self._start(looks)

    def _settle(self) -> int:
        """Write down every report, those with nothing to tell in one statement.

        A report is forgotten when it is written, so that an outage of the database loses none.
        """
        settled = 0
        while self._reports:
            tick, report = self._reports[0]
            if report.ended in _NOT_THE_DETECTORS_FAULT:
                self._lost.append(tick)
            elif (note := _nothing_found(tick, report)) is not None:
                self._quiet.append((tick, note))
            else:
                _write_down(tick, report)
            self._reports.popleft()
            settled += 1
        finish_quiet(self._quiet)
        self._quiet.clear()
        release(self._lost)
        self._lost.clear()
        return settled


def _nothing_found(tick: TakenTick, report: Report) -> str | None:
    """The note of a look without findings; none where there is more to be written."""
    if report.ended is End.OK:
        return None if report.result["findings"] else ""
    return report.error if tick.network and report.error.startswith(Unreachable.WORDS) else None


def _write_down(tick: TakenTick, report: Report) -> None:
    try:
        if report.ended is End.OK:
            finish(tick, report.result["findings"])
        else:
            fail(tick, report.error or f"the look ended: {report.limit or report.ended}")
    except TickLost as error:
        logger.info("%s", error)
    except (DataError, IntegrityError) as error:
        _set_aside(tick, f"what it found cannot be stored: {error}")


def _set_aside(tick: TakenTick, error: str) -> None:
    """One report that no database takes must not hold up the others."""
    try:
        fail(tick, error)
    except TickLost as lost:
        logger.info("%s", lost)


@cache
def _here() -> Lookout:
    return Lookout(settings.AUTONOMY_NODE)


def sweep(looks: Looks) -> Swept:
    """The part of this process's node (see AUTONOMY_NODE_PARTS)."""
    return _here().sweep(looks)
