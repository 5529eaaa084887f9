"""The database of verifiers and detectors: short READ ONLY queries, nothing else (E-2)."""

from collections.abc import Callable
from typing import Any

_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=5000 -c lock_timeout=1000"
_MOST_ROWS = 10_000


def reader(database_url: str) -> Callable[..., list[dict[str, Any]]]:
    """`query(sql, params)` on a connection that is opened here and now."""
    import psycopg  # noqa: PLC0415 -- only those who look pay for it
    from psycopg.rows import dict_row  # noqa: PLC0415

    connection = psycopg.connect(
        database_url, autocommit=True, connect_timeout=5, options=_OPTIONS, row_factory=dict_row
    )
    connection.read_only = True

    def query(sql: str, params: Any = None) -> list[dict[str, Any]]:
        with connection.transaction(), connection.cursor() as cursor:
            return cursor.execute(sql.encode(), params).fetchmany(_MOST_ROWS)

    return query


def no_database(*_: object) -> list[dict[str, Any]]:
    """What `query` is where the order names no database."""
    raise RuntimeError("this session was given no database to look at")
