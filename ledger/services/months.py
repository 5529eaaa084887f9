"""Making the coming months of outcomes, and dropping those that were kept long enough (C-25).

Both are done by a function of the owner, because nobody else may: it takes nothing from its caller.
"""

import logging

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from ledger.domain.facts import Fact
from ledger.services.events import record

_TURN = """
SELECT to_char(month, 'YYYY-MM'), outcomes, ledger_months_kept() FROM ledger_turn_months()
"""
_KEPT = """
CREATE OR REPLACE FUNCTION ledger_months_kept() RETURNS int LANGUAGE sql IMMUTABLE
AS 'SELECT {months:d}'
"""
logger = logging.getLogger(__name__)


def keep_months(months: int) -> None:
    """Keep this month's outcomes and those of so many before; 0 is for ever. Only the owner may."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(months=months))


def turn_months(*, actor: str = "service:ledger") -> str:
    """Make the coming months and drop the oldest that is due; answers the month that was dropped.

    Gives way where others hold the tables: what is due then is done the next time.
    """
    try:
        return _turn(actor)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
            raise
        logger.info("the months of outcomes are in use, so they are turned later: %s", error)
        return ""


@transaction.atomic
def _turn(actor: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5s'")
        cursor.execute(_TURN)
        row = cursor.fetchone()
    if row is None:
        return ""
    month, outcomes, kept = row
    record(
        Fact(
            type="outcomes_dropped",
            stream="ledger",
            stream_id=f"outcomes:{month}",
            actor=actor,
            payload={"month": month, "outcomes": outcomes, "months_kept": kept},
        )
    )
    return str(month)
