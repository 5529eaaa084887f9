"""The clock of the ledger: transaction numbers that only grow, whatever cluster the rows live in.

Inside one cluster PostgreSQL's 64-bit transaction numbers are that clock. A dump restored into
another cluster meets numbers that may be lower than those of its rows; the sealer would then never
reach new events. `advance` sets the clock ahead of every row. It runs after each migration, so that
whoever restores a dump and then migrates, as always, need not know.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

_BEHIND = """
SELECT coalesce(greatest((SELECT max(transaction) FROM ledger_event),
                         (SELECT max(last_transaction) FROM ledger_block)), -1)
       - ledger_clock(pg_snapshot_xmax(pg_current_snapshot()))
"""
_SET = """
CREATE OR REPLACE FUNCTION ledger_clock(xid8) RETURNS bigint LANGUAGE sql IMMUTABLE
AS 'SELECT $1::text::bigint + {ahead:d}'
"""


class ClockWentBack(RuntimeError):
    """Rows come from another cluster; the owner's `migrate` sets the clock ahead of them."""


def advance() -> int:
    """Set the clock ahead of every row, where it is behind; by how much. Only the owner may."""
    with transaction.atomic(), connection.cursor() as cursor:
        if _number(cursor, _BEHIND) < 0:
            return 0
        cursor.execute("LOCK TABLE ledger_event IN SHARE ROW EXCLUSIVE MODE")
        step = _number(cursor, _BEHIND) + 1
        cursor.execute(_SET.format(ahead=_number(cursor, "SELECT ledger_clock('0'::xid8)") + step))
    return step


def check() -> None:
    """Raise ClockWentBack where rows are ahead of the clock."""
    with connection.cursor() as cursor:
        if _number(cursor, _BEHIND) >= 0:
            raise ClockWentBack("run `python manage.py migrate` as the owner of the database")


def _number(cursor: CursorWrapper, query: str) -> int:
    cursor.execute(query)
    return int(cursor.fetchone()[0])
