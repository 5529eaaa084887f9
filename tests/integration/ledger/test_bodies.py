"""What an event says of people can be erased, openly, and the chain stays whole."""

import hashlib
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.domain.verification import Disagreement
from ledger.models import Body, Event
from ledger.selectors import bodies
from ledger.selectors.verification import inspect
from ledger.services import NothingToErase, erase, record, verify
from tests.integration.ledger.conftest import fact, happened, seal_everything
from tests.support.threads import at_once
from tests.support.walls import walls_down

pytestmark = pytest.mark.django_db(transaction=True)

SAID = "Ada Lovelace, ada@example.org"


@pytest.fixture
def said() -> Event:
    """An event with a body, sealed among others."""
    happened(3)
    with transaction.atomic():
        record(fact(type="mail_heard", body=SAID, payload={"size": 29}))
    happened(3)
    seal_everything(limit=3)
    return Event.objects.get(type="mail_heard")


def _run(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)  # type: ignore[arg-type]
        assert cursor.rowcount


def _found() -> tuple[Disagreement, str]:
    problem = inspect().problem
    assert problem is not None
    return problem.kind, problem.where


def test_a_body_stands_apart_and_the_event_holds_its_salted_hash(said: Event) -> None:
    body = Body.objects.get()

    assert bodies([said.id]) == {said.id: SAID}
    assert SAID not in str(said.payload)
    assert said.body_hash == hashlib.sha256(bytes(body.salt) + SAID.encode()).hexdigest()
    assert said.body_hash != hashlib.sha256(SAID.encode()).hexdigest()
    assert verify().ok


def test_a_body_can_be_a_document() -> None:
    with transaction.atomic():
        record(fact(body={"from": "ada\0"}), fact())

    assert list(bodies(Event.objects.values_list("id", flat=True)).values()) == [
        '{"from": "ada\\ufffd"}'
    ]


def test_events_without_a_body_take_one_statement_and_with_some_two(
    django_assert_num_queries: Any,
) -> None:
    with transaction.atomic():
        with django_assert_num_queries(1):
            record(*(fact() for _ in range(9)))
        with django_assert_num_queries(2):
            record(*(fact(body="x") for _ in range(9)))


def test_an_erased_body_is_gone_and_the_chain_agrees(said: Event) -> None:
    erase(said.id, actor="person:ada", reason="she asked")
    seal_everything()

    assert not Body.objects.exists()
    told = Event.objects.get(type="body_erased")
    assert (told.actor, told.stream, told.stream_id) == ("person:ada", "event", str(said.id))
    assert told.payload["reason"] == "she asked"
    found = verify()
    assert (found.ok, found.erased) == (True, 1)


def test_what_was_erased_or_never_had_a_body_cannot_be_erased(said: Event) -> None:
    erase(said.id, actor="person:ada", reason="she asked")

    for event in Event.objects.all():
        with pytest.raises(NothingToErase):
            erase(event.id, actor="person:ada", reason="again")
    assert Event.objects.filter(type="body_erased").count() == 1


def test_two_who_erase_at_once_erase_once(said: Event) -> None:
    def act() -> bool:
        try:
            erase(said.id, actor="person:ada", reason="she asked")
        except NothingToErase:
            return False
        return True

    assert sorted(at_once(act, act)) == [False, True]
    assert Event.objects.filter(type="body_erased").count() == 1


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_body",
        "UPDATE ledger_body SET text = 'x'",
        "TRUNCATE ledger_body",
        "SELECT ledger_erase((SELECT event_id FROM ledger_body))",
    ],
)
def test_a_body_stays_even_for_its_owner_unless_an_event_says_otherwise(statement: str) -> None:
    _run("SET autonomy.testing = off")
    try:
        with pytest.raises(IntegrityError, match="append-only"):
            _run(statement)
    finally:
        _run("SET autonomy.testing = on")
    assert Body.objects.exists()


def test_a_body_that_went_without_its_event_is_named(said: Event) -> None:
    with walls_down():
        Body.objects.all().delete()

    assert _found() == (Disagreement.BODY_MISSING, str(said.id))


@pytest.mark.parametrize("change", ["text = 'Eve'", "salt = '\\x00'"])
def test_an_altered_body_is_named(said: Event, change: str) -> None:
    with walls_down(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ledger_body SET {change}")  # noqa: S608

    assert _found() == (Disagreement.BODY_ALTERED, str(said.id))


def test_a_body_for_an_event_that_has_none_is_named(said: Event) -> None:
    other = Event.objects.filter(body_hash="").first()
    assert other is not None
    Body.objects.create(event_id=other.id, salt=b"x", text="put in")

    assert _found() == (Disagreement.BODY_ADDED, str(other.id))


def test_an_event_whose_hash_of_its_body_was_changed_is_named(said: Event) -> None:
    with walls_down():
        Event.objects.filter(id=said.id).update(body_hash="")

    assert _found() == (Disagreement.EVENT_ALTERED, str(said.id))


def test_an_event_of_an_erasure_that_was_put_in_is_named_itself(said: Event) -> None:
    """Nobody can hide a body and say afterwards that it was erased long ago."""
    happened(1)
    seal_everything()
    with walls_down():
        Body.objects.all().delete()
        first = Event.objects.order_by("id").first()
        assert first is not None
        forged = Event.objects.create(
            type="body_erased", stream="event", stream_id=str(said.id), actor="person:ada",
            transaction=first.transaction,
        )  # fmt: skip

    assert _found() == (Disagreement.EVENT_ADDED, str(forged.id))
