"""The database of verifiers and detectors: short READ ONLY queries, nothing else (E-2)."""

from collections.abc import Callable
from typing import Any, Protocol

_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=5000 -c lock_timeout=1000"
_MOST_ROWS = 10_000

Query = Callable[..., list[dict[str, Any]]]


class Database(Protocol):
    """What a look may ask, and the descriptors it needs for that."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What must stay open."""

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """The rows of a short READ ONLY query."""


class Reader:
    """A connection that is opened here and now, before the sandbox closes."""

    def __init__(self, database_url: str) -> None:
        import psycopg  # noqa: PLC0415 -- only those who look pay for it
        from psycopg.rows import dict_row  # noqa: PLC0415

        self._connection = psycopg.connect(
            database_url, autocommit=True, connect_timeout=5, options=_OPTIONS, row_factory=dict_row
        )
        self._connection.read_only = True

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The connection's."""
        return (self._connection.fileno(),)

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """The rows of a short READ ONLY query."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            return cursor.execute(sql.encode(), params).fetchmany(_MOST_ROWS)


class NoDatabase:
    """Where the order names none."""

    descriptors: tuple[int, ...] = ()

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """Refused."""
        raise RuntimeError("this session was given no database to look at")
