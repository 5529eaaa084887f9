"""Events are recorded with the change they tell of."""

import pytest
from django.db import transaction

from ledger.models import Event
from ledger.services import Fact, NoTransaction, record

pytestmark = pytest.mark.django_db


def _fact(**changes: object) -> Fact:
    return Fact(
        **{"type": "task_ended", "stream": "task", "stream_id": "1", "actor": "node:a", **changes}  # type: ignore[arg-type]
    )


def test_facts_become_events_in_the_order_in_which_they_are_given() -> None:
    record(*(_fact(type=f"step_{n}", payload={"n": n}, cause=("person:ada",)) for n in range(5)))

    events = list(Event.objects.order_by("id"))
    assert [event.type for event in events] == [f"step_{n}" for n in range(5)]
    assert [event.payload for event in events] == [{"n": n} for n in range(5)]
    assert events[0].cause == ["person:ada"]
    assert len({event.transaction for event in events}) == 1


def test_all_facts_of_one_call_take_one_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(1):
        record(*(_fact() for _ in range(50)))


def test_text_that_no_column_takes_is_replaced_and_the_event_kept() -> None:
    record(_fact(stream_id="a\0b", actor="\ud800", payload={"out\0": ["\0", "\\u0000", "\udfff"]}))

    event = Event.objects.get()
    assert event.stream_id == "a\ufffdb"
    assert event.actor == "?"
    assert event.payload == {"out\ufffd": ["\ufffd", "\\u0000", "?"]}


@pytest.mark.django_db(transaction=True)
def test_an_event_without_a_transaction_is_refused() -> None:
    with pytest.raises(NoTransaction):
        record(_fact())


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_event() -> None:
    with transaction.atomic():
        record(_fact())
        transaction.set_rollback(True)

    assert not Event.objects.exists()
