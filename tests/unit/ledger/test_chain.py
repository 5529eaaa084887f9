"""Hashes of events and blocks are the same on every machine, for ever."""

import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.chain import GENESIS, Entry, Link, Tree, block_hash, canonical, event_hash

ENTRY = Entry(
    id=UUID("0190a000-0000-7000-8000-00000000000a"),
    workspace_id=UUID("00000000-0000-7000-8000-000000000001"),
    type="task_done",
    version=1,
    stream="task",
    stream_id="0190a000-0000-7000-8000-00000000000b",
    actor="node:a",
    cause='["person:ada"]',
    payload='{"n": 1, "größe": 1.50}',
    at=datetime(2026, 1, 2, 3, 4, 5, 600000, UTC),
    transaction=2**53 + 1,
)
LINK = Link(
    workspace_id=ENTRY.workspace_id,
    number=1,
    first_sequence=1,
    last_sequence=10,
    last_transaction=42,
    last_event_id=ENTRY.id,
    previous_hash=GENESIS,
    merkle_root="ab" * 32,
    sealed_at=ENTRY.at,
)


def test_the_hash_of_an_event_is_that_of_its_documented_form() -> None:
    payload = hashlib.sha256(ENTRY.payload.encode()).hexdigest()
    document = (
        '{"actor":"node:a","at":"2026-01-02T03:04:05.600000+00:00","cause":"[\\"person:ada\\"]",'
        '"document":"event/1","id":"0190a000-0000-7000-8000-00000000000a",'
        f'"payload":"{payload}","stream":"task",'
        '"stream_id":"0190a000-0000-7000-8000-00000000000b","transaction":"9007199254740993",'
        '"type":"task_done","version":"1","workspace_id":"00000000-0000-7000-8000-000000000001"}'
    )

    assert event_hash(ENTRY) == hashlib.sha256(document.encode()).hexdigest()


def test_hashes_do_not_change_between_releases() -> None:
    assert event_hash(ENTRY) == "878922d9c13fb09e4cf583186d103f15f1175d304758d1e86ebd253ec1b3bb2d"
    assert block_hash(LINK) == "975b591f65e526f5d664d847165884f8568547e28c5c50eb8c9b6da93199bf61"


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    elsewhere = ENTRY.at.astimezone(timezone(timedelta(hours=-7)))

    assert event_hash(replace(ENTRY, at=elsewhere)) == event_hash(ENTRY)


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, UUID):
        return UUID(int=value.int + 1)
    return value + 1 if isinstance(value, int) else f"{value} "


@pytest.mark.parametrize("name", [field.name for field in fields(Entry)])
def test_every_column_of_an_event_counts(name: str) -> None:
    changed = replace(ENTRY, **{name: _other(getattr(ENTRY, name))})

    assert event_hash(changed) != event_hash(ENTRY)


@pytest.mark.parametrize("name", [field.name for field in fields(Link)])
def test_every_column_of_a_block_counts(name: str) -> None:
    changed = replace(LINK, **{name: _other(getattr(LINK, name))})

    assert block_hash(changed) != block_hash(LINK)


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + _root(leaves[:half]) + _root(leaves[half:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_tree_is_that_of_rfc_6962(leaves: list[bytes]) -> None:
    assert Tree(leaf.hex() for leaf in leaves).root() == _root(leaves).hex()


@given(st.dictionaries(st.sampled_from(Entry.__slots__), st.text(st.characters(codec="utf-8"))))
def test_documents_are_written_as_the_standard_says(document: dict[str, str]) -> None:
    assert canonical(document) == rfc8785.dumps(document)
