"""Health: live says nothing about others, ready says in words what is missing."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


def test_a_process_that_answers_is_live_without_asking_the_database(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}


@pytest.mark.django_db
def test_ready_names_what_it_looked_at(client: Client) -> None:
    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert [c["name"] for c in answer.json()["conditions"]] == ["database", "migrations", "redis"]


@pytest.mark.django_db
def test_without_redis_requests_are_still_served_and_it_is_said(
    client: Client, settings: Settings
) -> None:
    settings.REDIS_URL = NOBODY_LISTENS

    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert "nothing is lost" in answer.content.decode()


@pytest.mark.django_db
def test_a_missing_migration_turns_readiness_red_with_the_next_step(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("console", "0001_initial")

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert "`autonomy up`" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_without_a_database_readiness_is_red_and_tells_no_address(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "9")

    answer = client.get("/health/ready")

    connection.close()
    assert answer.status_code == 503
    assert "PostgreSQL cannot be reached" in answer.content.decode()
    assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_cannot_be_posted_to(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
