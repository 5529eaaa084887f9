"""Bringing a database up to this version, as its owner."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from console.host.connections import ROLE_SETTINGS
from console.host.errors import RoleForbidden, SecretChanged, ServerUnavailable
from console.host.given import check_database, check_redis
from console.host.roles import ensure_roles, grant_roles
from console.host.urls import password_of, user_of
from console.models import Fingerprint
from console.services import SecretChanged as Differs
from console.services import check_fingerprint

_LOCK = 0x6175746F6E6F6D79  # "autonomy" in ASCII
_LOCK_SECONDS = 300


def prepare(made: Sequence[str], *, set_up: Callable[[], object]) -> dict[str, str]:
    """Check both servers, bring the database up to date, and give the versions of the servers.

    The kinds of roles named are made; the others were given, and only get their rights.
    """
    owner = os.environ["DATABASE_URL"]
    versions = {"postgres": check_database(owner), "redis": check_redis(os.environ["REDIS_URL"])}
    roles = {kind: os.environ[name] for kind, name in ROLE_SETTINGS.items()}
    # Of several starts against one database, one prepares and the others wait.
    with _alone(owner), _permitted(owner):
        _check_secret()
        _migrate()
        ensure_roles(owner, {kind: password_of(roles[kind]) for kind in made})
        grant_roles(owner, {kind: user_of(url) for kind, url in roles.items()})
        set_up()
    return versions


def _check_secret() -> None:
    """Refuse another secret key before anything is changed for it."""
    if Fingerprint._meta.db_table not in connection.introspection.table_names():
        return  # an empty database: set-up stores the fingerprint
    try:
        check_fingerprint("SECRET_KEY", settings.SECRET_KEY)
    except Differs as error:
        raise SecretChanged(
            str(error), "SECRET_KEY, or the file secrets/secret.key of the home, holds it"
        ) from None


def _migrate() -> None:
    with connection.cursor() as cursor:
        # A migration of a large table may take long; what serves people has tighter limits.
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = '60s'")
    call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _alone(owner: str) -> Iterator[None]:
    with psycopg.connect(owner, autocommit=True, connect_timeout=5) as held:
        try:
            held.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
            held.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        except LockNotAvailable:
            raise ServerUnavailable(
                f"another start has been preparing this database for {_LOCK_SECONDS} s",
                "wait for it to end; `pg_locks` shows who holds the advisory lock",
            ) from None
        yield


@contextmanager
def _permitted(owner: str) -> Iterator[None]:
    """Say what to do where the role may not change what is in the database."""
    try:
        yield
    except DatabaseError as error:
        if not any(isinstance(one, InsufficientPrivilege) for one in _causes(error)):
            raise
        raise RoleForbidden(
            f"the role {user_of(owner)!r} of DATABASE_URL may not change this database: {error}",
            "name the role there that owns the database and every table in it",
        ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
