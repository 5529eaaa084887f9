"""The engine is woken after a commit, and nobody suffers when Redis is away."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
from django.conf import LazySettings
from django.db import transaction

from ledger import wake
from ledger.services import Fact, record

FACT = Fact(type="task_submitted", stream="task", stream_id="1", actor="person:ada")


@pytest.fixture(autouse=True)
def _fresh_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "_ringing", wake.Breaker())
    monkeypatch.setattr(wake, "_waiting", wake.Breaker())


@pytest.fixture
def bell(settings: LazySettings) -> Iterator[redis.Redis]:
    with closing(redis.Redis.from_url(settings.REDIS_URL)) as client:
        client.delete(wake.KEY)
        yield client
        client.delete(wake.KEY)


@pytest.fixture
def mute(settings: LazySettings) -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield server


def callers(server: socket.socket) -> int:
    """How many have connected to it since it was asked last."""
    server.setblocking(False)
    found = 0
    try:
        while True:
            server.accept()[0].close()
            found += 1
    except BlockingIOError:
        return found


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_once_for_a_transaction_and_only_after_its_commit(bell: redis.Redis) -> None:
    with transaction.atomic():
        record(FACT, FACT)
        record(FACT)
        with transaction.atomic():
            record(FACT)
        assert bell.llen(wake.KEY) == 0

    assert bell.llen(wake.KEY) == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_undone_inside_a_transaction_silences_no_other(
    bell: redis.Redis,
) -> None:
    with transaction.atomic():
        with transaction.atomic():
            record(FACT)
            transaction.set_rollback(True)
        record(FACT)

    assert bell.llen(wake.KEY) == 1


def test_many_rings_are_one_wake_up(bell: redis.Redis) -> None:
    for _ in range(100):
        wake.ring()

    assert wake.wait(1)
    assert not wake.wait(0.05)


def test_waiting_ends_when_its_time_is_up(bell: redis.Redis) -> None:
    begun = time.monotonic()

    assert not wake.wait(0.3)
    assert time.monotonic() - begun > 0.25


def test_waiting_longer_than_the_limit_of_a_call_is_no_error(
    bell: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    assert not wake.wait(wake.LIMIT_SECONDS * 4)
    assert not caplog.records


def test_a_redis_that_never_answers_costs_one_short_wait_and_then_none(
    mute: socket.socket,
) -> None:
    for _ in range(1000):
        wake.ring()

    assert callers(mute) == 1


@pytest.mark.usefixtures("mute")
def test_waiting_while_redis_is_away_lets_the_caller_look_by_itself() -> None:
    begun = time.monotonic()

    assert not wake.wait(30)
    assert not wake.wait(30)

    assert time.monotonic() - begun < 2 * (wake.AWAY_SECONDS + wake.LIMIT_SECONDS * 3)


def test_what_was_not_delivered_is_counted_and_said(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = settings.REDIS_URL
    monkeypatch.setattr(wake, "_ringing", wake.Breaker(rest_seconds=0.2))
    caplog.set_level(logging.INFO, "ledger.wake")

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for _ in range(3):
        wake.ring()
    settings.REDIS_URL = here
    time.sleep(0.25)
    wake.ring()

    assert "Redis is away, 1 call" in caplog.messages[0]
    assert "Redis is back; 3 calls" in caplog.messages[-1]


def test_without_redis_ringing_does_nothing(settings: LazySettings) -> None:
    settings.REDIS_URL = ""

    wake.ring()
    assert not wake.wait(0.01)
