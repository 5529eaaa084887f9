"""Homes that are gone after the test, and servers to try things on."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from console.host.home import Home
from console.host.logs import Logs
from console.host.secrets import Secrets

_DROPS = 30


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own, prepared, with secrets."""
    with fresh_home() as made:
        made.prepare()
        Secrets(made).make()
        yield made


@pytest.fixture
def logs(home: Home) -> Iterator[Logs]:
    """What carries output to files."""
    carrier = Logs(home.logs)
    yield carrier
    carrier.close()


@contextmanager
def fresh_home() -> Iterator[Home]:
    """A home nobody has used, gone after the block."""
    made = Home(Path(tempfile.mkdtemp(prefix="autonomy-home-")).resolve())
    try:
        yield made
    finally:
        made.forget()


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """The environment of someone who has set nothing."""
    unset = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in unset and not name.startswith(("AUTONOMY_", "DJANGO_"))
    }


@pytest.fixture(scope="module")
def database() -> Iterator[Callable[[], str]]:
    """Makes empty databases on the server of the test run; gives the owner's URL of each."""
    made: list[str] = []

    def make() -> str:
        made.append(name := f"host_{uuid4().hex[:12]}")
        _maintain("CREATE DATABASE {}", name)
        return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()

    yield make
    for name in made:
        _drop(name)
        for kind in ("app", "reader", "verifier"):
            _maintain("DROP ROLE IF EXISTS {}", f"{name}_{kind}")


def _drop(name: str) -> None:
    """Vacuum may be at work there; only a superuser could end it, so it is waited for."""
    for _ in range(_DROPS):
        try:
            _maintain("DROP DATABASE {} WITH (FORCE)", name)
        except InsufficientPrivilege:
            time.sleep(1)
        else:
            return
    raise AssertionError(f"{name} is still in use")


def _maintain(statement: str, name: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(SQL(statement).format(Identifier(name)))
