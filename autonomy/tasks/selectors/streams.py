"""What a session prints as server-sent events, for a bounded number of watchers (U-1, U-3)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection
from django.http import StreamingHttpResponse

from autonomy.tasks.models import Session
from autonomy.tasks.selectors.output import Printed
from autonomy.tasks.selectors.watching import Watching, watched

BEAT_SECONDS = 15.0
LONGEST_SECONDS = 600.0
STALLED_SECONDS = 30.0
"""A watcher that takes nothing for so long is hung up on."""

MOST_IN_ALL = 200
MOST_OF_ONE = 8
UNBEGUN_SECONDS = 10.0
RETRY_MILLISECONDS = 1_000

CONTENT_TYPE = "text/event-stream; charset=utf-8"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

WATCHING = Watching()
"""The one of this process."""


class TooMany(Exception):
    """No more can watch now; `mine` says whether it is this person who watches too much."""

    def __init__(self, *, mine: bool) -> None:
        super().__init__(
            f"you watch {MOST_OF_ONE} sessions already: close one"
            if mine
            else f"{MOST_IN_ALL} watch already: try again in a moment"
        )
        self.mine = mine


@dataclass(eq=False)
class Place:
    """The right to watch; one that nobody begins to use is given to somebody else."""

    person: str
    unbegun_until: float


class Places:
    """Who watches in this process."""

    def __init__(self) -> None:
        self._taken: list[Place] = []
        self._lock = Lock()

    def take(self, person: str) -> Place:
        """A place for one more; raises TooMany."""
        now = time.monotonic()
        with self._lock:
            self._taken = [place for place in self._taken if place.unbegun_until > now]
            if sum(place.person == person for place in self._taken) >= MOST_OF_ONE:
                raise TooMany(mine=True)
            if len(self._taken) >= MOST_IN_ALL:
                raise TooMany(mine=False)
            place = Place(person, now + UNBEGUN_SECONDS)
            self._taken.append(place)
            return place

    @contextmanager
    def used(self, place: Place) -> Iterator[None]:
        """The while in which somebody watches."""
        place.unbegun_until = float("inf")
        try:
            yield
        finally:
            with self._lock:
                if place in self._taken:
                    self._taken.remove(place)

    def __len__(self) -> int:
        return len(self._taken)


PLACES = Places()


def response(person: str, session: Session, after: int) -> StreamingHttpResponse:
    """The answer that streams to one more watcher; raises TooMany."""
    place = PLACES.take(person)
    # A stream lasts long: it must not hold the connection on which its session was looked up.
    if not connection.in_atomic_block:
        connection.close()
    return StreamingHttpResponse(
        events(place, session, after), content_type=CONTENT_TYPE, headers=HEADERS
    )


async def events(place: Place, session: Session, after: int) -> AsyncIterator[bytes]:
    """The stream of one watcher: text with its place as id, a beat where nothing comes, the end."""
    with PLACES.used(place):
        until = time.monotonic() + LONGEST_SECONDS
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        async for seen in watched(WATCHING, session, after, beat=BEAT_SECONDS):
            for frame in _frames(seen):
                with _hung_up_on_if_stalled():
                    yield frame
            if time.monotonic() > until:
                return


def _frames(seen: Printed | None) -> Iterator[bytes]:
    if seen is None:
        yield b": still running\n\n"
        return
    if seen.shown:
        yield _event("output", {"text": seen.shown}, seen.place)
    if seen.ended:
        yield _event("ended", {"ended": seen.ended}, seen.place)


def _event(name: str, data: dict[str, Any], place: int) -> bytes:
    return f"event: {name}\nid: {place}\ndata: {json.dumps(data)}\n\n".encode()


@contextmanager
def _hung_up_on_if_stalled() -> Iterator[None]:
    """While whoever sends waits for a reader that takes nothing, only this timer can end it."""
    task = asyncio.current_task()
    if task is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(STALLED_SECONDS, task.cancel)
    try:
        yield
    finally:
        timer.cancel()
