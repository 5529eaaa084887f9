"""Watching sessions print, through the real server, with no Redis in sight (U-1, U-3)."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from autonomy.tasks.models import Session
from autonomy.tasks.selectors import streams, watching
from autonomy.tasks.selectors.output import Rows
from autonomy.tasks.selectors.watching import WINDOW, Watching, Window, watched
from autonomy.tasks.services.output import Piece, keep_output
from console.services import issue_token
from ledger.domain.ids import new_id
from tests.integration.console.conftest import a_task
from tests.support.platform import PATIENCE, database_url

Event = dict[str, Any]


@dataclass(frozen=True)
class Web:
    """The server as it is started for users, on the database of the tests."""

    port: int
    token: str
    closing: ExitStack

    def watch(self, session_id: UUID, after: int = 0) -> "Watcher":
        """Begin to watch."""
        watcher = Watcher(self, session_id, after)
        self.closing.callback(watcher.close)
        return watcher


class Watcher:
    """A client of the stream, reading line by line."""

    def __init__(self, web: Web, session_id: UUID, after: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {web.token}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": str(after)} if after else {}
        self.connection.request("GET", f"/api/v1/sessions/{session_id}/output", headers=headers)
        self.response = self.connection.getresponse()
        self.beats = 0

    def close(self) -> None:
        """Watch no more."""
        self.response.close()
        self.connection.close()

    def events(self) -> Iterator[Event]:
        """Each event as it comes."""
        event: Event = {}
        while line := self.response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "" and value:
                self.beats += 1
            elif name == "data":
                event |= json.loads(value)
            elif name:
                event[name] = value
            elif "event" in event:
                yield event
                event = {}

    def until(self, words: str) -> str:
        """What was printed up to some words."""
        seen = ""
        for event in self.events():
            seen += str(event.get("text", ""))
            if words in seen:
                return seen
        raise AssertionError(f"it ended after {seen[-500:]!r}")


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    token = issue_token(User.objects.create_superuser("ada"), "test")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "x" * 50,
    }
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--lifespan", "off", "--timeout-graceful-shutdown", "5"],
        env={**os.environ, **environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    with ExitStack() as closing:
        closing.callback(server.wait, PATIENCE)
        closing.callback(server.terminate)
        _wait_for(port, server)
        yield Web(port, token, closing)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up")


def running() -> Session:
    return Session.objects.create(
        task=a_task(), node="n1", purpose="run", attempt=1, epoch=1, version="v"
    )


def prints(session: Session, start: int, text: str) -> None:
    keep_output([Piece(session.pk, start, text)], [])


def end(session: Session, output: str = "") -> None:
    Session.objects.filter(pk=session.pk).update(ended="ok", output=output)


@pytest.mark.django_db(transaction=True)
def test_what_is_printed_comes_as_it_is_printed_to_the_end(web: Web) -> None:
    session = running()
    watcher = web.watch(session.pk)
    assert watcher.response.status == 200
    assert watcher.response.headers["Content-Type"].startswith("text/event-stream")
    events = watcher.events()

    seen = []
    for start, text in ((0, "one\n"), (4, "two\nth"), (10, "ree é\n")):
        prints(session, start, text)
        seen.append(next(events))
    end(session)
    last = next(events)

    assert [event["text"] for event in seen] == ["one\n", "two\nth", "ree é\n"]
    assert [event["id"] for event in seen] == ["4", "10", "16"]
    assert (last["event"], last["ended"], last["id"]) == ("ended", "ok", "16")
    assert next(events, None) is None


@pytest.mark.django_db(transaction=True)
def test_a_watcher_that_was_cut_off_goes_on_where_it_was(web: Web) -> None:
    session = running()
    prints(session, 0, "first second ")
    web.watch(session.pk).until("second")
    prints(session, 13, "third")

    assert web.watch(session.pk, after=6).until("third") == "second third"


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_late_is_told_what_is_missing(web: Web) -> None:
    session = running()
    prints(session, 5_000, "the latest")

    seen = web.watch(session.pk).until("latest")

    assert seen == "[… 5000 characters not shown …]\nthe latest"


@pytest.mark.django_db(transaction=True)
def test_a_session_that_was_over_too_soon_is_shown_whole(web: Web) -> None:
    session = running()
    watcher = web.watch(session.pk)
    end(session, "all of it\n")

    assert [event.get("text") for event in watcher.events()] == ["all of it\n", None]
    after = web.watch(session.pk)
    assert [event.get("text") for event in after.events()] == ["all of it\n", None]


@pytest.mark.django_db(transaction=True)
def test_many_watch_and_leave_and_nobody_is_in_the_way_of_the_others(web: Web) -> None:
    sessions = [running() for _ in range(3)]
    watchers = [web.watch(session.pk) for session in sessions for _ in range(2)]
    watchers[0].close()
    for number, session in enumerate(sessions):
        prints(session, 0, f"session {number}.")

    seen = [watcher.until(".") for watcher in watchers[1:]]

    assert seen == [f"session {number}." for number in (0, 1, 1, 2, 2)]


@pytest.mark.django_db(transaction=True)
def test_a_stream_outlives_the_loss_of_its_connections_to_the_database(web: Web) -> None:
    session = running()
    watcher = web.watch(session.pk)
    prints(session, 0, "before ")
    events = watcher.events()
    assert next(events)["text"] == "before "

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    prints(session, 7, "after")

    assert next(events)["text"] == "after"


@pytest.mark.django_db(transaction=True)
def test_a_stream_holds_no_connection_to_the_database(web: Web) -> None:
    session = running()
    prints(session, 0, "x")
    for watcher in [web.watch(session.pk) for _ in range(streams.MOST_OF_ONE)]:
        watcher.until("x")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_ninth_stream_of_one_person_is_refused_until_one_is_closed(web: Web) -> None:
    session = running()
    prints(session, 0, "x")
    watchers = [web.watch(session.pk) for _ in range(streams.MOST_OF_ONE)]
    for watcher in watchers:
        watcher.until("x")

    refused = web.watch(session.pk).response
    assert (refused.status, json.load(refused)["code"]) == (429, "too_many_streams")

    watchers[0].close()
    give_up = time.monotonic() + PATIENCE
    while (again := web.watch(session.pk)).response.status != 200:
        again.response.read()
        assert time.monotonic() < give_up
        time.sleep(0.1)


# -- one look for all


class Looks:
    """A database that answers at once, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: dict[UUID, list[tuple[int, str]]] = {}
        self.away = 0

    def __call__(self, places: Mapping[UUID, int]) -> dict[UUID, tuple[str, Rows]]:
        self.count += 1
        if self.away:
            self.away -= 1
            raise OperationalError("away")
        return {
            session_id: ("", [row for row in self.rows[session_id] if row[0] + len(row[1]) > place])
            for session_id, place in places.items()
        }


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(watching, "AWAY_SECONDS", 0.01)


async def first(hub: Watching, session: Session, words: str) -> str:
    seen = ""
    async for printed in watched(hub, session, 0, beat=5):
        seen += printed.shown if printed else ""
        if words in seen:
            break
    return seen


def test_any_number_of_watchers_costs_one_look_at_a_time(hurried: None) -> None:
    looks = Looks()
    sessions = [Session(id=new_id()) for _ in range(10)]
    looks.rows = {session.pk: [] for session in sessions}

    async def all_of_them() -> list[str]:
        hub = Watching(looks)
        watchers = [first(hub, session, "go") for session in sessions for _ in range(30)]
        gathered = asyncio.gather(*watchers)
        await asyncio.sleep(0.1)
        before = looks.count
        for rows in looks.rows.values():
            rows.append((0, "go"))
        found = await gathered
        assert looks.count <= before + 3
        return found

    assert asyncio.run(all_of_them()) == ["go"] * 300
    assert looks.count <= 20


def test_nobody_looks_when_nobody_watches(hurried: None) -> None:
    looks = Looks()
    session = Session(id=new_id())
    looks.rows = {session.pk: [(0, "go")]}

    async def watch_twice() -> tuple[int, int]:
        hub = Watching(looks)
        await first(hub, session, "go")
        await asyncio.sleep(0.05)
        before = looks.count
        await asyncio.sleep(0.1)
        after = looks.count
        assert await first(hub, session, "go") == "go"
        return before, after

    before, after = asyncio.run(watch_twice())

    assert before == after


def test_a_database_that_is_away_is_asked_again(hurried: None) -> None:
    looks = Looks()
    looks.away = 3
    session = Session(id=new_id())
    looks.rows = {session.pk: [(0, "go")]}

    assert asyncio.run(first(Watching(looks), session, "go")) == "go"
    assert looks.count >= 4


def test_a_window_holds_only_the_latest_however_much_comes() -> None:
    window = Window()
    for number in range(100):
        window.take("", [(number * 10_000, "x" * 10_000)])

    assert len(window.text) <= WINDOW
    seen = window.after(0)
    assert seen.skipped + len(seen.text) == seen.place == 1_000_000


def test_a_watcher_that_takes_nothing_is_hung_up_on(
    hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALLED_SECONDS", 0.05)
    looks, session = Looks(), Session(id=new_id())
    looks.rows = {session.pk: [(0, "go")]}
    monkeypatch.setattr(streams, "WATCHING", Watching(looks))
    places = streams.Places()
    monkeypatch.setattr(streams, "PLACES", places)

    async def stall() -> None:
        async for _ in streams.events(places.take("ada"), session, 0):
            await asyncio.sleep(1 if looks.count else 0)

    async def main() -> None:
        task = asyncio.create_task(stall())
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(main())
    assert len(places) == 0


def test_a_stream_ends_after_its_time_and_beats_meanwhile(
    hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(streams, "LONGEST_SECONDS", 0.1)
    looks, session = Looks(), Session(id=new_id())
    looks.rows = {session.pk: []}
    monkeypatch.setattr(streams, "WATCHING", Watching(looks))
    monkeypatch.setattr(streams, "PLACES", streams.Places())

    async def frames() -> list[bytes]:
        place = streams.PLACES.take("ada")
        return [frame async for frame in streams.events(place, session, 0)]

    told = asyncio.run(frames())

    assert told[0] == b"retry: 1000\n\n"
    assert set(told[1:]) == {b": still running\n\n"}
