"""Whoever changes the past is found, and the first changed row is named."""

import os
import stat
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection

from ledger.domain.chain import block_hash, event_hash
from ledger.domain.ids import DEFAULT_WORKSPACE, new_id
from ledger.domain.verification import Disagreement
from ledger.models import Block, Event
from ledger.selectors import chain_status
from ledger.selectors.anchors import anchor_file
from ledger.selectors.chain import link, origin, settled
from ledger.selectors.verification import inspect
from ledger.services import anchor, verify
from tests.integration.ledger.conftest import event_at, happened, seal_everything
from tests.support.walls import walls_down

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _three_blocks() -> None:
    happened(25)
    seal_everything(limit=10)
    anchor()


def _found() -> tuple[Disagreement, str]:
    problem = inspect().problem
    assert problem is not None, "the change was not noticed"
    return problem.kind, problem.where


def _tamper(query: str, *values: object) -> None:
    with walls_down(), connection.cursor() as cursor:
        cursor.execute(query, values)  # type: ignore[arg-type]
        assert cursor.rowcount, "nothing was tampered with"


def test_an_untouched_chain_agrees_and_the_answer_is_kept() -> None:
    happened(3)

    found = verify()

    assert found.ok
    assert (found.blocks, found.events, found.anchors) == (3, 25, 1)
    status = chain_status()
    assert status.agreed
    assert status.verified_at is not None
    assert (status.sealed, status.unsealed, status.head_hash) == (25, 4, found.head)


def test_progress_is_told_block_by_block() -> None:
    told: list[tuple[int, int]] = []

    inspect(lambda done, total: told.append((done, total)))

    assert told == [(10, 25), (20, 25), (25, 25)]


@pytest.mark.parametrize(
    "change",
    [
        "type = 'task_done'",
        "version = 2",
        "stream = 'node'",
        "stream_id = 'x'",
        "actor = 'person:eve'",
        "cause = '[\"person:eve\"]'",
        "payload = '{\"n\": 99}'",
        "payload = '{\"n\": 11.0}'",
        "at = at + interval '1 microsecond'",
        "transaction = transaction - 1",
        "workspace_id = gen_random_uuid()",
    ],
)
def test_an_altered_event_is_named(change: str) -> None:
    altered = event_at(12)
    _tamper(f"UPDATE ledger_event SET {change} WHERE id = %s", altered)  # noqa: S608

    assert _found() == (Disagreement.EVENT_ALTERED, str(altered))


def test_the_first_of_several_altered_events_is_named() -> None:
    first, second = event_at(7), event_at(21)
    _tamper("UPDATE ledger_event SET actor = 'x' WHERE id IN (%s, %s)", second, first)

    assert _found() == (Disagreement.EVENT_ALTERED, str(first))


def test_a_deleted_event_is_named() -> None:
    gone = event_at(15)
    _tamper("DELETE FROM ledger_event WHERE id = %s", gone)

    assert _found() == (Disagreement.EVENT_MISSING, str(gone))


def test_an_event_put_among_sealed_ones_is_named() -> None:
    added = _insert_copy_of(event_at(5))

    assert _found() == (Disagreement.EVENT_ADDED, str(added))


def test_an_event_put_before_the_first_is_named() -> None:
    added = _insert_copy_of(event_at(1), transaction="0")

    assert _found() == (Disagreement.EVENT_ADDED, str(added))


def test_an_event_from_the_future_is_named() -> None:
    added = _insert_copy_of(event_at(1), transaction="transaction + 1000000000")

    assert _found() == (Disagreement.EVENT_ADDED, str(added))


def _insert_copy_of(event_id: UUID, transaction: str = "transaction") -> UUID:
    added = new_id() if transaction != "transaction" else UUID(int=event_id.int + 1)
    rest = "workspace_id, type, version, stream, stream_id, actor, cause, payload, at"
    _tamper(
        f"INSERT INTO ledger_event (id, transaction, {rest})"  # noqa: S608
        f" SELECT %s, {transaction}, {rest} FROM ledger_event WHERE id = %s",
        added,
        event_id,
    )
    return added


def test_a_removed_seal_is_named_by_its_number() -> None:
    _tamper("DELETE FROM ledger_seal WHERE sequence = 13")

    assert _found() == (Disagreement.SEAL_MISSING, "13")


def test_the_last_seal_of_a_block_removed_with_its_event_is_named() -> None:
    _tamper(
        "WITH s AS (DELETE FROM ledger_seal WHERE sequence = 25 RETURNING event_id)"
        " DELETE FROM ledger_event e USING s WHERE e.id = s.event_id"
    )

    assert _found() == (Disagreement.SEAL_MISSING, "25")


def test_an_altered_seal_is_found_by_its_event() -> None:
    sealed = event_at(4)
    _tamper("UPDATE ledger_seal SET event_hash = %s WHERE sequence = 4", "a" * 64)

    assert _found() == (Disagreement.EVENT_ALTERED, str(sealed))


def test_an_event_altered_together_with_its_seal_is_found_in_its_block() -> None:
    altered = event_at(4)
    _tamper("UPDATE ledger_event SET actor = 'x' WHERE id = %s", altered)
    entries = settled(origin(DEFAULT_WORKSPACE), 25)
    (forged,) = [event_hash(entry) for entry in entries if entry.id == altered]
    _tamper("UPDATE ledger_seal SET event_hash = %s WHERE sequence = 4", forged)

    assert _found() == (Disagreement.SEALS_ALTERED, "1")


def test_a_seal_that_was_added_is_found_in_its_block() -> None:
    _tamper(
        "INSERT INTO ledger_seal (event_id, workspace_id, block_id, sequence, event_hash)"
        " SELECT gen_random_uuid(), workspace_id, block_id, 999, event_hash FROM ledger_seal"
        " WHERE sequence = 20"
    )

    assert _found() == (Disagreement.SEALS_ALTERED, "2")


@pytest.mark.parametrize(
    "change",
    [
        "previous_hash = repeat('b', 64)",
        "merkle_root = repeat('b', 64)",
        "hash = repeat('b', 64)",
        "sealed_at = sealed_at + interval '1 microsecond'",
        "last_sequence = last_sequence + 1",
        "last_transaction = last_transaction + 1",
    ],
)
def test_an_altered_block_is_named(change: str) -> None:
    _tamper(f"UPDATE ledger_block SET {change} WHERE number = 2")  # noqa: S608

    assert _found() == (Disagreement.BLOCK_ALTERED, "2")


def test_a_block_rewritten_with_its_hash_is_given_away_by_the_next() -> None:
    block = Block.objects.get(number=2)
    block.sealed_at = block.sealed_at.replace(year=2020)
    _tamper(
        "UPDATE ledger_block SET sealed_at = %s, hash = %s WHERE number = 2",
        block.sealed_at,
        block_hash(link(block)),
    )

    assert _found() == (Disagreement.BLOCK_ALTERED, "2")


def test_a_removed_block_is_named() -> None:
    _tamper("DELETE FROM ledger_block WHERE number = 2")

    assert _found() == (Disagreement.BLOCK_MISSING, "2")


def test_the_newest_block_removed_without_its_seals_is_named() -> None:
    _tamper("DELETE FROM ledger_block WHERE number = 3")

    assert _found() == (Disagreement.BLOCK_MISSING, "3")


def test_the_newest_block_removed_with_all_its_traces_is_missed_by_the_anchor() -> None:
    _tamper(
        "WITH b AS (DELETE FROM ledger_block WHERE number = 3 RETURNING id), s AS (DELETE FROM"
        " ledger_seal USING b WHERE block_id = b.id RETURNING event_id)"
        " DELETE FROM ledger_event e USING s WHERE e.id = s.event_id"
    )

    assert _found() == (Disagreement.ANCHOR_DISAGREES, "block 3")


def test_a_head_rewritten_with_its_hash_disagrees_with_the_anchor() -> None:
    block = Block.objects.get(number=3)
    block.sealed_at = block.sealed_at.replace(year=2020)
    _tamper(
        "UPDATE ledger_block SET sealed_at = %s, hash = %s WHERE number = 3",
        block.sealed_at,
        block_hash(link(block)),
    )

    assert _found() == (Disagreement.ANCHOR_DISAGREES, "block 3")


def test_a_forged_line_in_the_anchor_file_is_named() -> None:
    written = anchor_file().read_text()
    anchor_file().write_text(written + written.replace('"number": 3', '"number": 2'))

    assert _found() == (Disagreement.ANCHOR_DISAGREES, f"{anchor_file()} line 2")


def test_an_anchor_signed_with_an_older_key_still_counts(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"

    assert inspect().ok
    settings.SECRET_KEY_FALLBACKS = []
    assert _found()[0] is Disagreement.ANCHOR_DISAGREES


def test_the_anchor_file_is_for_its_owner_only_and_grows_only_with_the_chain() -> None:
    assert stat.S_IMODE(anchor_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(anchor_file().parent.stat().st_mode) == 0o700
    assert anchor() is None

    happened(1)
    seal_everything()
    kept = anchor()

    assert kept is not None
    assert kept.number == 4
    assert len(anchor_file().read_text().splitlines()) == 2


def test_a_line_torn_by_a_power_cut_is_passed_over() -> None:
    os.truncate(anchor_file(), anchor_file().stat().st_size - 20)
    assert anchor() is not None

    assert inspect().anchors == 1
    assert inspect().ok


def test_the_check_reads_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    happened(1200)
    seal_everything(limit=1200)

    assert inspect().events == 1225
    monkeypatch.setattr("ledger.selectors.verification._PIECE", 500)
    longest = connection.execute_wrapper(_refuse_more_than(600))
    with longest:
        assert inspect().ok
    assert Event.objects.count() == 1225


def _refuse_more_than(rows: int):  # type: ignore[no-untyped-def]
    def execute(run, sql, params, many, context):  # type: ignore[no-untyped-def]
        answer = run(sql, params, many, context)
        assert context["cursor"].rowcount <= rows
        return answer

    return execute
