"""An installation that has outcomes keeps them, and their sums, when they are parted by month."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from console.host.connections import role_name
from console.host.home import CHECKOUT
from console.host.roles import ensure_roles, grant_roles
from console.host.urls import with_login

NAME = "autonomy_migrating"
OUTCOMES = """
INSERT INTO ledger_outcome (workspace_id, task_id, epoch, skill, node, tier, state, reason, verdict,
    evidence, queue_seconds, run_seconds, verify_seconds, expected_seconds, retries, dollars,
    tokens, error_class, canary, at)
SELECT '00000000-0000-7000-8000-000000000001',
    overlay(gen_random_uuid()::text placing
        left(lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0'), 8) || '-'
        || right(lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0'), 4)
        || '-7' FROM 1)::uuid,
    1, 'tidy', 'a', 1, 'done', '', 'verified', '{"seen": 1}', 1, 2, 3, 4, 0, 0.5, 6, '', false, made
FROM generate_series(now() - interval '200 days', now(), interval '1 day') AS made
"""


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database of the server that the tests use."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(NAME)))
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(NAME)))
        yield url.rpartition("/")[0] + "/" + NAME
        server.execute(SQL("DROP DATABASE {}").format(Identifier(NAME)))
        server.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(role_name(NAME, "app"))))


def _migrate(url: str, *target: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0", *target],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": url, "SECRET_KEY": "x"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_outcomes_of_before_are_kept_by_month_and_added_up(database: str) -> None:
    _migrate(database, "ledger", "0003")
    with psycopg.connect(database) as before:
        before.execute(OUTCOMES)
        kept = before.execute(
            "SELECT task_id, at, evidence FROM ledger_outcome ORDER BY 1"
        ).fetchall()

    _migrate(database, "ledger")

    with psycopg.connect(database) as after:
        query = "SELECT task_id, at, evidence FROM ledger_outcome ORDER BY 1"
        assert after.execute(query).fetchall() == kept
        parts = after.execute("SELECT DISTINCT tableoid::regclass::text FROM ledger_outcome")
        assert len(parts.fetchall()) >= 7
        assert after.execute("SELECT count(*) FROM ledger_outcome_rest").fetchone() == (0,)
        sums = "SELECT sum(verified), sum(dollars), count(*) FROM ledger_skillday"
        assert after.execute(sums).fetchone() == (201, 100.5, 201)


def test_whoever_might_write_outcomes_still_may(database: str) -> None:
    _migrate(database, "ledger", "0003")
    app = role_name(NAME, "app")
    ensure_roles(database, {"app": "x"})
    grant_roles(database, {"app": app})

    _migrate(database, "ledger", "0004")

    with psycopg.connect(with_login(database, app, "x")) as writer:
        writer.execute(OUTCOMES)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute("DELETE FROM ledger_outcome")


def test_the_way_back_keeps_them_too(database: str) -> None:
    _migrate(database, "ledger")
    with psycopg.connect(database) as owner:
        owner.execute(OUTCOMES)

    _migrate(database, "ledger", "0003")

    with psycopg.connect(database) as owner:
        assert owner.execute("SELECT count(*) FROM ledger_outcome").fetchone() == (201,)
