"""What the tests of the chain share."""

import time
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction

from ledger.models import Block, Event, Seal
from ledger.services import Fact, record, seal


@pytest.fixture(autouse=True)
def _own_anchor_file(settings: LazySettings, tmp_path: Path) -> None:
    settings.AUTONOMY_HOME = tmp_path


def fact(**changes: object) -> Fact:
    """Some fact; what matters to a test is given."""
    given = {"type": "task_ended", "stream": "task", "stream_id": "1", "actor": "node:a", **changes}
    return Fact(**given)  # type: ignore[arg-type]


def happened(count: int) -> None:
    """That many events, committed together."""
    with transaction.atomic():
        record(*(fact(stream_id=str(n), payload={"n": n}) for n in range(count)))


def seal_everything(limit: int = 1000, *, patience_seconds: float = 60) -> list[Block]:
    """Seal until no event is left; transactions of other databases of the server may delay it."""
    blocks, until = [], time.monotonic() + patience_seconds
    while Event.objects.count() > Seal.objects.count():
        if block := seal(limit):
            blocks.append(block)
        else:
            assert time.monotonic() < until, "something on this server holds a transaction open"
            time.sleep(0.02)
    return blocks


def event_at(sequence: int) -> UUID:
    """The id of the event with that number."""
    return Seal.objects.get(sequence=sequence).event_id
