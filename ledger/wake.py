"""The bell that tells the engine that something happened; best effort, as it also looks by itself.

Ringing must never hold up or fail the work that rings, so it is tried once, for 100 ms at most, and
not at all for a few seconds after it has failed.
"""

import logging
import threading
import time
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

KEY = "autonomy:wake"
LIMIT_SECONDS = 0.1
REST_SECONDS = 3.0
AWAY_SECONDS = 0.5
"""How long `wait` sleeps while Redis is away, so that its caller looks by itself that often."""

_AWAY = (redis.RedisError, OSError, ValueError)  # ValueError: an address that cannot be read
logger = logging.getLogger(__name__)


class Breaker:
    """Leaves Redis alone for a while after it has failed, and counts what went undelivered."""

    def __init__(self, rest_seconds: float = REST_SECONDS) -> None:
        self._rest_seconds = rest_seconds
        self._resting_until = 0.0
        self._missed = 0
        self._lock = threading.Lock()

    def lets_through(self) -> bool:
        """Whether it is time to try; a call that is not let through counts as missed."""
        with self._lock:
            resting = time.monotonic() < self._resting_until
            self._missed += resting
            return not resting

    def failed(self, error: Exception) -> None:
        """Redis did not answer: rest, and say so."""
        with self._lock:
            self._resting_until = time.monotonic() + self._rest_seconds
            self._missed += 1
            missed = self._missed
        logger.warning("Redis is away, %s calls not made or not answered: %s", missed, error)

    def worked(self) -> None:
        """Redis answered; says how many were missed before."""
        with self._lock:
            missed, self._missed = self._missed, 0
        if missed:
            logger.info("Redis is back; %s calls were not made or not answered", missed)


_ringing = Breaker()
_waiting = Breaker()


def ring() -> None:
    """Wake the engine. Never raises."""
    if not settings.REDIS_URL or not _ringing.lets_through():
        return
    try:
        bell = _client(settings.REDIS_URL).pipeline(transaction=False)
        bell.lpush(KEY, b"1")
        bell.ltrim(KEY, 0, 0)
        bell.execute()
    except _AWAY as error:
        _ringing.failed(error)
    else:
        _ringing.worked()


def wait(timeout: float) -> bool:
    """Wait for the bell; False when it did not ring, or when Redis is away (then at most 0.5 s)."""
    if settings.REDIS_URL and _waiting.lets_through():
        try:
            rang = _popped(timeout)
        except _AWAY as error:
            _waiting.failed(error)
        else:
            _waiting.worked()
            return rang
    time.sleep(min(timeout, AWAY_SECONDS))
    return False


def _popped(timeout: float) -> bool:
    pool = _client(settings.REDIS_URL).connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command("BRPOP", KEY, max(timeout, 0.001))  # type: ignore[no-untyped-call]
        # The server answers by then; a connection that died half open would never.
        return connection.read_response(timeout=timeout + 1) is not None
    finally:
        pool.release(connection)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=LIMIT_SECONDS,
        socket_connect_timeout=LIMIT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )
