"""Watching sessions print: one look at the database for all who watch, whatever they watch.

A watcher has a place in the output and reads from a window that all watchers of a session share, so
that a slow one holds nothing but its place: what has left the window by then is skipped, and said
to be. Redis is not needed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from uuid import UUID

from django.db import Error, connection

from autonomy.tasks.models import Session
from autonomy.tasks.selectors.output import Printed, Rows, joined, kept, live

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.25
AWAY_SECONDS = 1.0
WINDOW = 64_000

Look = Callable[[Mapping[UUID, int]], Mapping[UUID, tuple[str, Rows]]]


class Window:
    """The latest of one session, for all who watch it."""

    def __init__(self) -> None:
        self.watchers = 0
        self.start = 0
        self.text = ""
        self.ended = ""
        self._news = asyncio.Event()

    @property
    def end(self) -> int:
        """Up to which place it reaches."""
        return self.start + len(self.text)

    def take(self, ended: str, rows: Rows) -> None:
        """Add what was printed since."""
        fresh = joined(rows, self.end, ended)
        if fresh.skipped:
            self.start, self.text = self.end + fresh.skipped, ""
        text = self.text + fresh.text
        self.text = text[-WINDOW:]
        self.start += len(text) - len(self.text)
        if fresh.text or ended != self.ended:
            self.ended = ended
            self._tell()

    def take_kept(self, output: str, ended: str) -> None:
        """The session was over before anybody could see it run."""
        self.text, self.ended = output, ended
        self._tell()

    def after(self, place: int) -> Printed:
        """What there is beyond a place."""
        return joined([(self.start, self.text)] if self.end > place else [], place, self.ended)

    async def is_silent(self, seconds: float) -> bool:
        """Wait for more; whether nothing came for that long."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return True
        return False

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Watching:
    """All windows of a process, and the one look that fills them."""

    def __init__(self, look: Look = live) -> None:
        self._look = look
        self._windows: dict[UUID, Window] = {}
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def window(self, session_id: UUID) -> AsyncIterator[Window]:
        """The window of a session, filled as long as somebody has it."""
        window = self._windows.setdefault(session_id, Window())
        window.watchers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._fill())
        try:
            yield window
        finally:
            window.watchers -= 1
            if not window.watchers:
                self._windows.pop(session_id, None)

    async def _fill(self) -> None:
        """Look as long as there is somebody to look for, on one thread with one connection."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="watching")
        try:
            while self._windows:
                seconds = await self._filled(thread)
                await asyncio.sleep(seconds)
        finally:
            self._looking = None  # whoever comes now begins another
            thread.submit(connection.close)
            thread.shutdown(wait=False)

    async def _filled(self, thread: ThreadPoolExecutor) -> float:
        """Look once; answers after how many seconds to look again."""
        places = {s: window.end for s, window in self._windows.items() if not window.ended}
        if not places:
            return LOOK_EVERY
        try:
            seen = asyncio.get_running_loop().run_in_executor(thread, self._seen, places)
            self._take(*await seen)
        except Error as error:
            logger.warning("what sessions print cannot be read: %s", error)
            return AWAY_SECONDS
        return LOOK_EVERY

    def _take(self, found: Mapping[UUID, tuple[str, Rows]], outputs: Mapping[UUID, str]) -> None:
        for session_id, (ended, rows) in found.items():
            if window := self._windows.get(session_id):
                if session_id in outputs:
                    window.take_kept(outputs[session_id], ended)
                else:
                    window.take(ended, rows)

    def _seen(
        self, places: Mapping[UUID, int]
    ) -> tuple[Mapping[UUID, tuple[str, Rows]], dict[UUID, str]]:
        """What is new, and the whole of those that were over before anything was seen of them."""
        try:
            found = self._look(places)
            unseen = [s for s, (ended, rows) in found.items() if ended and not (rows or places[s])]
            outputs = Session.objects.filter(id__in=unseen) if unseen else Session.objects.none()
            return found, dict(outputs.values_list("id", "output"))
        except Error:
            connection.close()
            raise


async def watched(
    watching: Watching, session: Session, place: int, *, beat: float
) -> AsyncIterator[Printed | None]:
    """What a session prints after a place, as it comes, to its end; None where nothing came."""
    if session.ended:
        yield kept(session.output, session.ended, place)
        return
    async with watching.window(session.pk) as window:
        while True:
            seen = window.after(place)
            if not (seen.text or seen.ended):
                if await window.is_silent(beat):
                    yield None
                continue
            place = seen.place
            yield seen
            if seen.ended:
                return
