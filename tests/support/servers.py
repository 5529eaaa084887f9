"""Starts a PostgreSQL and a Redis for the test run where no setting names one.

Loaded with `-p`, because Django's settings are read before any conftest.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from console.host.embedded import servers
from console.host.home import Home
from console.host.postgres import OWNER
from console.host.secrets import Secrets
from console.host.urls import with_login

SUPERUSER = "postgres.password"
_SETTINGS = ("DATABASE_URL", "REDIS_URL")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Set the settings before anyone reads them; xdist's workers inherit them."""
    if not all(os.environ.get(name) for name in _SETTINGS):
        ending = ExitStack()
        early_config.add_cleanup(ending.close)
        started = ending.enter_context(_servers())
        for name in _SETTINGS:
            if not os.environ.get(name):
                os.environ[name] = started[name]
        os.environ["AUTONOMY_TEST_SERVERS"] = "1"
    _own_redis_database()
    return (yield)


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    home = Home(Path(tempfile.mkdtemp(prefix="autonomy-tests-")).resolve())
    try:
        with servers(home, os.environ, durable=False) as urls:
            _let_tamper(with_login(urls["DATABASE_URL"], "postgres", Secrets(home)[SUPERUSER]))
            yield urls
    finally:
        home.forget()


def _let_tamper(superuser_url: str) -> None:
    """Let the owner step around triggers, as someone with the whole server could."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}")


def _own_redis_database() -> None:
    """Give each worker of xdist a database of its own, also of a Redis that was named."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER", ""):
        number = int(worker.removeprefix("gw")) % 15 + 1
        url = urlsplit(os.environ["REDIS_URL"])
        os.environ["REDIS_URL"] = url._replace(path=f"/{number}").geturl()
