"""Events are numbered without a gap, in an order to which nothing can be added later."""

import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Event as Flag
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.chain import GENESIS, Tree, block_hash, event_hash
from ledger.models import Block, Event, Seal
from ledger.selectors import chain, chain_status
from ledger.services import ClockWentBack, clock, record, seal, verify
from tests.integration.ledger.conftest import fact, happened, seal_everything

pytestmark = pytest.mark.django_db(transaction=True)


def test_blocks_follow_each_other_without_a_gap() -> None:
    happened(25)

    blocks = seal_everything(limit=10)

    assert [(b.number, b.first_sequence, b.last_sequence) for b in blocks] == [
        (1, 1, 10),
        (2, 11, 20),
        (3, 21, 25),
    ]
    assert blocks[0].previous_hash == GENESIS
    assert all(after.previous_hash == before.hash for before, after in pairwise(blocks))
    assert all(block.hash == block_hash(chain.link(block)) for block in Block.objects.all())
    assert list(Seal.objects.values_list("sequence", flat=True)) == list(range(1, 26))


def test_the_root_of_a_block_is_made_of_its_events() -> None:
    happened(7)
    (block,) = seal_everything()

    hashes = list(Seal.objects.order_by("sequence").values_list("event_hash", flat=True))

    entries = chain.settled(chain.origin(block.workspace_id), 7)
    assert [event_hash(entry) for entry in entries] == hashes
    assert Tree(hashes).root() == block.merkle_root


def test_nothing_to_seal_is_no_block() -> None:
    assert seal() is None


def test_an_event_waits_until_no_older_transaction_is_open() -> None:
    begun, finish = Flag(), Flag()

    def slow() -> None:
        try:
            with transaction.atomic():
                record(fact(stream_id="slow"))
                begun.set()
                assert finish.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        slow_one = threads.submit(slow)
        assert begun.wait(10)
        happened(3)
        assert seal() is None
        assert chain_status().unsealed == 3
        finish.set()
        slow_one.result(10)

    seal_everything()
    by_sequence = [Event.objects.get(id=s.event_id).stream_id for s in Seal.objects.all()]
    assert by_sequence == ["slow", "0", "1", "2"]


def test_a_second_sealer_stands_aside() -> None:
    happened(1)
    answers: list[Block | None] = []

    def another() -> None:
        answers.append(seal())
        connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as threads:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('ledger.seal'), hashtext(%s))",
                [str(Event.objects.get().workspace_id)],
            )
        threads.submit(another).result(10)

    assert answers == [None]


def _write_for(seconds: float, writer: int) -> int:
    """Transactions of one to five events that stay open for a random while; some are undone."""
    chance = random.Random(writer)  # noqa: S311
    written, until = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            count = chance.randint(1, 5)
            with transaction.atomic():
                for place in range(count):
                    record(fact(stream_id=f"{writer}", payload={"n": written + place}))
                    time.sleep(chance.random() * chance.choice([0, 0.002, 0.02]))
                undone = chance.random() < 0.1
                transaction.set_rollback(undone)
            written += 0 if undone else count
    finally:
        connection.close()
    return written


def _read_on(finished: Flag) -> list[int]:
    """A reader who follows the numbers and asks only for what comes after the last one seen."""
    seen: list[int] = []
    try:
        while not finished.is_set():
            last = seen[-1] if seen else 0
            later = Seal.objects.filter(sequence__gt=last).order_by("sequence")
            seen += later.values_list("sequence", flat=True)
            time.sleep(0.005)
    finally:
        connection.close()
    return seen


@pytest.mark.timeout(180)
def test_eight_writers_at_once_lose_no_event_and_keep_their_order() -> None:
    writers, finished, chance = 8, Flag(), random.Random(1)  # noqa: S311
    with ThreadPoolExecutor(writers + 1) as threads:
        reader = threads.submit(_read_on, finished)
        writing = [threads.submit(_write_for, 4, number) for number in range(writers)]
        while not all(future.done() for future in writing):
            seal(limit=chance.choice([1, 3, 50]))
            time.sleep(0.002)
        written = sum(future.result() for future in writing)
        seal_everything()
        time.sleep(0.05)
        finished.set()
        seen = reader.result(10)

    assert written == Event.objects.count() == Seal.objects.count() > 100
    assert seen == list(range(1, written + 1))
    events = Event.objects.in_bulk()
    by_writer = defaultdict(list)
    for sealed in Seal.objects.order_by("sequence"):
        event = events[sealed.event_id]
        by_writer[event.stream_id].append(event.payload["n"])
    assert all(numbers == list(range(len(numbers))) for numbers in by_writer.values())
    assert verify().ok


@dataclass(frozen=True)
class Written:
    """One transaction of a writer: its events, and when it was begun and known to be committed."""

    ids: tuple[UUID, ...]
    begun: float
    committed: float


def _write(plan: list[tuple[int, float, float]], ids: list[UUID]) -> list[Written]:
    """Transactions of so many events that pause before an event and before they commit."""
    done = []
    try:
        for count, pause, delay in plan:
            begun = time.monotonic()
            with transaction.atomic():
                for _ in range(count):
                    time.sleep(pause)
                    record(fact())
                made = Event.objects.filter(transaction=_this_transaction()).order_by("id")
                written = tuple(made.values_list("id", flat=True))
                time.sleep(delay)
            done.append(Written(written, begun, time.monotonic()))
            ids += written
    finally:
        connection.close()
    return done


def _this_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_clock(pg_current_xact_id())")
        return int(cursor.fetchone()[0])


PAUSES = st.sampled_from([0.0, 0.0, 0.001, 0.005, 0.02])
PLANS = st.lists(st.tuples(st.integers(1, 3), PAUSES, PAUSES), min_size=1, max_size=4)


@pytest.mark.timeout(180)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plans=st.lists(PLANS, min_size=8, max_size=8), limit=st.sampled_from([1, 2, 7, 50]))
def test_whatever_eight_writers_do_the_numbers_keep_the_order_of_what_happened(
    plans: list[list[tuple[int, float, float]]], limit: int
) -> None:
    ours: list[UUID] = []
    before = Seal.objects.count()
    with ThreadPoolExecutor(len(plans)) as threads:
        writing = [threads.submit(_write, plan, ours) for plan in plans]
        while not all(future.done() for future in writing):
            seal(limit=limit)
        done = [written for future in writing for written in future.result()]
    seal_everything(limit)

    sealed = dict(Seal.objects.filter(event_id__in=ours).values_list("event_id", "sequence"))
    assert sorted(sealed.values()) == list(range(before + 1, before + len(ours) + 1))
    for written in done:
        numbers = [sealed[id_] for id_ in written.ids]
        assert numbers == sorted(numbers)
    for first in done:
        for second in done:
            if first.committed < second.begun:
                assert sealed[first.ids[-1]] < sealed[second.ids[0]]


def test_after_a_restore_into_another_cluster_sealing_goes_on() -> None:
    happened(5)
    seal_everything()
    _set_back_the_clock(1_000_000)
    with pytest.raises(ClockWentBack, match="migrate"):
        seal()

    assert clock.advance() > 900_000
    happened(5)
    seal_everything()

    assert clock.advance() == 0
    assert verify().ok


def _set_back_the_clock(by: int) -> None:
    """What rows of a cluster with higher transaction numbers look like from here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_clock('0'::xid8)")
        ahead = cursor.fetchone()[0] - by
        cursor.execute(
            "CREATE OR REPLACE FUNCTION ledger_clock(xid8) RETURNS bigint LANGUAGE sql IMMUTABLE"
            f" AS 'SELECT $1::text::bigint + {ahead}'"
        )
