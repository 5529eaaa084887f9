"""The database of verifiers and detectors: short READ ONLY queries, nothing else (E-2)."""

import base64
import pickle
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from autonomy.sdk.context import ProcessSeen
from autonomy.sessions.supervised import Supervised

_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=5000 -c lock_timeout=1000"
_MOST_ROWS = 10_000
_PROCESS = TypeAdapter(ProcessSeen)

Query = Callable[..., list[dict[str, Any]]]


class Reader:
    """A connection that is opened here and now, before the sandbox closes."""

    def __init__(self, database_url: str) -> None:
        import psycopg  # noqa: PLC0415 -- only lookers pay for it
        from psycopg.rows import dict_row  # noqa: PLC0415

        self._connection = psycopg.connect(
            database_url, autocommit=True, connect_timeout=5, options=_OPTIONS, row_factory=dict_row
        )
        self._connection.read_only = True

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What must stay open."""
        return (self._connection.fileno(),)

    @property
    def gone(self) -> bool:
        """Whether the connection is of no use any more."""
        return self._connection.closed

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """The rows of one READ ONLY statement."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(sql.encode(), params, prepare=True)  # prepared: one statement at a time
            return cursor.fetchmany(_MOST_ROWS)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class NoDatabase:
    """Where the order names none."""

    descriptors: tuple[int, ...] = ()
    gone = False

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """Refused."""
        raise RuntimeError("this session was given no database to look at")


class Asked:
    """What a verifier asks through its supervisor: a looker's database, and the node's machine."""

    def __init__(self, supervisor: Supervised) -> None:
        self._supervisor = supervisor

    def query(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """The rows of one READ ONLY statement."""
        answer = self._supervisor.call("query", sql=sql, params=to_jsonable_python(params))
        # From our own looker, which runs the statement and no code of this session.
        rows: list[dict[str, Any]] = pickle.loads(base64.b64decode(answer))  # noqa: S301
        return rows

    def process(self, pid: int) -> ProcessSeen | None:
        """A process of the machine, which this session cannot see by itself."""
        seen = self._supervisor.call("process", pid=pid)
        return None if seen is None else _PROCESS.validate_python(seen)
