"""What beat rings for."""

import pytest

from config.celery import app
from heartbeats import services
from heartbeats.process import Beat
from tests.integration.heartbeats.setting import node, watch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _node(db: None) -> None:
    node()


def rung_for() -> set[str]:
    return {row.name for row in Beat(app, lazy=True).enabled_models()}


def test_beat_rings_for_watches_but_not_for_those_that_nodes_look_at_first() -> None:
    watch("rare", every="1h")
    watch("steady", every=10)
    watch("hasty", every=9)
    watch("nightly", crontab="* * * * *")

    assert rung_for() == {"watch rare", "watch steady", "watch nightly"}


def test_beat_does_not_ring_for_a_watch_that_is_switched_off() -> None:
    services.disable(watch(), "noisy", by="person:ann")

    assert rung_for() == set()


def test_the_message_of_a_watch_is_one_that_workers_know() -> None:
    row = watch().schedule

    app.loader.import_default_modules()
    assert row.task in app.tasks
    assert row.queue == "ticks"
