"""Nobody changes or removes what happened, whatever their rights are."""

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import Outcome
from tests.integration.ledger.conftest import happened, seal_everything

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("ledger_event", "ledger_block", "ledger_seal", "ledger_outcome")


def _run(query: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "query", ["UPDATE {} SET workspace_id = workspace_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_what_happened_stays_even_for_a_superuser(table: str, query: str) -> None:
    happened(3)
    seal_everything()
    _run("SET autonomy.testing = off")
    try:
        with pytest.raises(IntegrityError, match="append-only"):
            _run(query.format(table))
    finally:
        _run("SET autonomy.testing = on")


def test_only_the_tests_may_empty_a_table_and_only_whole() -> None:
    happened(1)

    with pytest.raises(IntegrityError, match="append-only"):
        _run("DELETE FROM ledger_event")
    _run("TRUNCATE ledger_event")


def test_an_outcome_cannot_be_saved_twice() -> None:
    outcome = Outcome.objects.create(
        task_id="00000000-0000-7000-8000-00000000000a", epoch=1, skill="s", tier=1, state="done"
    )
    outcome.state = "failed"

    with pytest.raises(IntegrityError, match="append-only"):
        outcome.save()
