"""Servers that settings name: whether they can be reached, and are safe to use."""

import psycopg
from psycopg import OperationalError
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from console.host.errors import EvictingRedis, HostError, ServerUnavailable, SettingRefused
from console.host.urls import database_of, refuse_malformed, shown

POSTGRES_FLOOR = 15
_SECONDS = 5


def check_database(url: str, setting: str = "DATABASE_URL") -> str:
    """The version of the server; raises what is wrong with it and what to do."""
    refuse_malformed(setting, url)
    try:
        with psycopg.connect(url, connect_timeout=_SECONDS) as connection:
            number = connection.info.server_version
            described = connection.info.parameter_status("server_version") or str(number)
    except psycopg.ProgrammingError as error:
        raise SettingRefused(f"{setting} cannot be read: {error}", "mend the URL") from None
    except OperationalError as error:
        raise _unreachable(setting, url, str(error)) from None
    if number < POSTGRES_FLOOR * 10_000:
        raise ServerUnavailable(
            f"{shown(url)} is PostgreSQL {described}",
            f"use PostgreSQL {POSTGRES_FLOOR} or newer, or unset {setting} for the embedded one",
        )
    return described


def check_redis(url: str) -> str:
    """The version of the server; raises EvictingRedis where it may drop waiting messages."""
    try:
        with Redis.from_url(url, socket_timeout=_SECONDS, decode_responses=True) as client:
            facts = client.info("server") | client.info("memory")
    except ValueError as error:
        raise SettingRefused(
            f"REDIS_URL cannot be read: {error}", "set REDIS_URL=redis://:PASSWORD@HOST:PORT/0"
        ) from None
    except (AuthenticationError, ResponseError) as error:
        raise SettingRefused(
            f"{shown(url)} refuses this login: {error}",
            "mend user and password in REDIS_URL; the user needs the commands of Celery and INFO",
        ) from None
    except RedisError as error:
        raise ServerUnavailable(
            f"no Redis answers at {shown(url)}: {error}",
            "start it or mend REDIS_URL; unset REDIS_URL to use the embedded one",
        ) from None
    refuse_eviction(url, facts.get("maxmemory_policy", "noeviction"))
    return str(facts.get("valkey_version") or facts.get("redis_version", "unknown"))


def refuse_eviction(url: str, policy: str) -> None:
    """Raise EvictingRedis for a policy under which messages vanish when memory runs out."""
    if policy != "noeviction":
        raise EvictingRedis(
            f"{shown(url)} throws keys away when its memory is full (maxmemory-policy {policy})",
            "run `CONFIG SET maxmemory-policy noeviction` on it and write the same into its "
            "configuration, or name another Redis in REDIS_URL",
        )


def _unreachable(setting: str, url: str, answer: str) -> HostError:
    # Hints of libpq are indented; what happened comes before them.
    last = [line for line in answer.strip().splitlines() if not line.startswith("\t")][-1]
    if "does not exist" in last and "database" in last:
        return SettingRefused(
            f"{shown(url)}: {last}", f'make it with `CREATE DATABASE "{database_of(url)}"`'
        )
    if "authentication failed" in last or "no password supplied" in last or "role" in last:
        return SettingRefused(
            f"{shown(url)} refuses this login: {last}", f"mend user and password in {setting}"
        )
    return ServerUnavailable(
        f"no PostgreSQL answers at {shown(url)}: {last}",
        f"start it or mend {setting}; unset {setting} to use the embedded one",
    )
