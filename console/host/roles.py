"""The roles of the database, and what each may do (architecture: Database).

The owner migrates. The app may append to the ledger, never change it. Readers and verifiers
look, briefly, and see no password and no token.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Composable, Identifier, Literal

from console.host.connections import role_name
from console.host.errors import RoleForbidden
from console.host.urls import database_of, user_of

APPEND_ONLY = frozenset(
    {"ledger_event", "ledger_body", "ledger_block", "ledger_seal", "ledger_outcome"}
)
WRITTEN_BY_OWNER = frozenset({"django_migrations", "console_fingerprint"})
HIDDEN_TABLES = frozenset({"django_session", "console_token", "console_fingerprint", "ledger_body"})
HIDDEN_COLUMNS = {"auth_user": frozenset({"password"})}

_LOOKS = {"default_transaction_read_only": "on", "lock_timeout": "1s"}
_SETTINGS: dict[str, dict[str, str]] = {
    "app": {},
    "reader": _LOOKS | {"statement_timeout": "1s"},
    "verifier": _LOOKS | {"statement_timeout": "10s"},
}


@dataclass(frozen=True)
class Table:
    """A table or view of ours; a partition is judged by the table it is part of."""

    name: str
    whole: str
    columns: tuple[str, ...]


def ensure_roles(owner_url: str, passwords: Mapping[str, str]) -> None:
    """Make the roles of these kinds, or bring them to these passwords."""
    database = database_of(owner_url)
    with _as_owner(owner_url) as connection:
        for kind, password in passwords.items():
            _make(connection, role_name(database, kind), password)
            _set(connection, role_name(database, kind), _SETTINGS[kind])


def grant_roles(owner_url: str, names: Mapping[str, str]) -> None:
    """Give the role of each kind the rights it should have, and no other, all at once."""
    database = Identifier(database_of(owner_url))
    with _as_owner(owner_url) as connection:
        schema = Identifier(_schema(connection))
        tables = _tables(connection)
        _run(connection, "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database)
        _run(connection, "REVOKE CREATE ON SCHEMA {} FROM PUBLIC", schema)
        for kind, name in names.items():
            role = Identifier(name)
            _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", database, role)
            _run(connection, "GRANT USAGE ON SCHEMA {} TO {}", schema, role)
            _run(connection, "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {} FROM {}", schema, role)
            if tables:
                _run(connection, "REVOKE ALL ON {} FROM {}", _listed(tables), role)
            for function in _owners_functions(connection):
                _run(connection, f"REVOKE ALL ON FUNCTION {function} FROM {{}}", role)
                if kind == "app":
                    _run(connection, f"GRANT EXECUTE ON FUNCTION {function} TO {{}}", role)
            if kind == "app":
                _let_write(connection, tables, role)
                _run(connection, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}", schema, role)
            else:
                _let_look(connection, tables, role)


def _let_write(connection: Connection, tables: Iterable[Table], role: Identifier) -> None:
    rights: dict[str, list[Table]] = {}
    for table in tables:
        rights.setdefault(_right(table), []).append(table)
    for right, covered in rights.items():
        _run(connection, f"GRANT {right} ON {{}} TO {{}}", _listed(covered), role)


def _right(table: Table) -> str:
    if table.whole in WRITTEN_BY_OWNER:
        return "SELECT"
    if table.whole in APPEND_ONLY:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"


def _let_look(connection: Connection, tables: Iterable[Table], role: Identifier) -> None:
    shown = [table for table in tables if table.whole not in HIDDEN_TABLES]
    if whole := [table for table in shown if table.whole not in HIDDEN_COLUMNS]:
        _run(connection, "GRANT SELECT ON {} TO {}", _listed(whole), role)
    for table in shown:
        if hidden := HIDDEN_COLUMNS.get(table.whole):
            columns = SQL(", ").join(Identifier(c) for c in table.columns if c not in hidden)
            _run(connection, "GRANT SELECT ({}) ON {} TO {}", columns, Identifier(table.name), role)


def _make(connection: Connection, name: str, password: str) -> None:
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = "CREATE" if known is None else "ALTER"
    # Hashed here, so that no statement in a log of the server holds a password.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    role, secret = Identifier(name), Literal(hashed.decode())
    _run(connection, f"{verb} ROLE {{}} LOGIN PASSWORD {{}}", role, secret)


def _set(connection: Connection, name: str, settings: Mapping[str, str]) -> None:
    for setting, value in settings.items():
        parts = Identifier(name), Identifier(setting), Literal(value)
        _run(connection, "ALTER ROLE {} SET {} = {}", *parts)


def _schema(connection: Connection) -> str:
    row = connection.execute("SELECT current_schema()").fetchone()
    return str(row[0]) if row else "public"


def _tables(connection: Connection) -> list[Table]:
    """Every table and view of the owner; an extension's belong to someone else."""
    rows = connection.execute(
        """
        SELECT c.relname, coalesce(root.relname, c.relname),
               array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_class c
        LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('r', 'p', 'v', 'm')
          AND pg_has_role(c.relowner, 'USAGE')
        GROUP BY 1, 2 ORDER BY 1
        """
    )
    return [Table(name, whole, tuple(columns)) for name, whole, columns in rows]


def _owners_functions(connection: Connection) -> list[str]:
    """What runs with the owner's rights, and so does the little that the app may not do itself."""
    rows = connection.execute(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc p
        WHERE p.prosecdef AND p.pronamespace = current_schema()::regnamespace
          AND pg_has_role(p.proowner, 'USAGE')
        """
    )
    return [str(name) for (name,) in rows]


def _listed(tables: Iterable[Table]) -> Composable:
    return SQL(", ").join(Identifier(table.name) for table in tables)


def _run(connection: Connection, statement: str, *parts: Composable) -> None:
    connection.execute(SQL(statement).format(*parts))


@contextmanager
def _as_owner(owner_url: str) -> Iterator[Connection]:
    """One transaction as the owner."""
    try:
        with psycopg.connect(owner_url, connect_timeout=5) as connection:
            yield connection
    except InsufficientPrivilege as error:
        owner = user_of(owner_url)
        raise RoleForbidden(
            f"the role {owner!r} of DATABASE_URL may not do what set-up needs: {error}",
            f'let it make roles (`ALTER ROLE "{owner}" CREATEROLE`), or make three roles yourself '
            f"and name them in AUTONOMY_APP_URL, AUTONOMY_READER_URL and AUTONOMY_VERIFIER_URL",
        ) from error
