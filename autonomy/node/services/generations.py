"""The zygotes of a node: the newest begins everything, older ones end what they have begun."""

import logging
import selectors
from collections import deque
from collections.abc import Collection
from pathlib import Path

from autonomy.sessions.events import Event
from autonomy.sessions.pool import SessionPool, ZygoteFailed

logger = logging.getLogger(__name__)

FIRST_SECONDS = 30.0
NEXT_SECONDS = 10.0  # less than a lease allows: nothing is renewed meanwhile


class Generations:
    """A pool for each version of the sources that something still runs with."""

    def __init__(self, folders: tuple[Path, ...], protected: tuple[Path, ...] = ()) -> None:
        """Begin the first; raises ZygoteFailed."""
        self.inbox: deque[tuple[SessionPool, Event]] = deque()
        """What sessions have said and nobody has taken yet."""
        self._folders = folders
        self._protected = protected
        self._selector = selectors.DefaultSelector()
        self._older: list[SessionPool] = []
        self.newest = self._begun(FIRST_SECONDS)

    def fileno(self) -> int:
        """Readable when a session has said something."""
        return self._selector.fileno()

    @property
    def all(self) -> tuple[SessionPool, ...]:
        """The newest first."""
        return (self.newest, *self._older)

    @property
    def isolation(self) -> int:
        """How far the newest cuts its sessions off."""
        found = self.newest.isolation
        return found.level if found else 0

    def hear(self) -> None:
        """Put whatever has been said into the inbox."""
        for pool in self.all:
            self.inbox.extend((pool, event) for event in pool.handle_ready())

    def stale(self) -> bool:
        """Whether the sources have changed; not while an older generation is still at work."""
        try:
            return not self._older and self.newest.stale()
        except OSError as error:
            logger.info("the sources are being changed: %s", error)
            return False

    def follow(self) -> bool:
        """Begin a generation from the sources as they are now; whether it could be begun."""
        try:
            fresh = self._begun(NEXT_SECONDS)
        except ZygoteFailed as error:
            logger.warning("the sources changed and cannot be loaded: %s", error)
            return False
        self._older.append(self.newest)
        self.newest = fresh
        return True

    def replace_dead(self) -> bool:
        """Begin another where the newest has died; whether it had. Raises ZygoteFailed."""
        for pool in [pool for pool in self._older if not pool.alive]:
            self._older.remove(pool)
            self._end(pool)
        if self.newest.alive:
            return False
        dead, self.newest = self.newest, self._begun(NEXT_SECONDS)
        self._end(dead)
        return True

    def dismiss(self, used: Collection[SessionPool]) -> None:
        """Close the older ones that nothing runs with any more."""
        for pool in [pool for pool in self._older if pool not in used]:
            self._older.remove(pool)
            self._end(pool)

    def close(self) -> None:
        """End everything that runs."""
        for pool in self.all:
            pool.close()
        self._selector.close()

    def _begun(self, seconds: float) -> SessionPool:
        pool = SessionPool(self._folders, protected=self._protected)
        pool.start(seconds)
        self._selector.register(pool, selectors.EVENT_READ)
        return pool

    def _end(self, pool: SessionPool) -> None:
        """Close it; the sessions of one that died are told of as lost first."""
        self.inbox.extend((pool, event) for event in pool.handle_ready())
        self._selector.unregister(pool)
        pool.close()
