"""Asks a running database whether a role may do more than it should."""

from collections.abc import Mapping

import psycopg

from console.host.connections import ROLE_SETTINGS
from console.host.roles import APPEND_ONLY, HIDDEN_TABLES

_CHANGING = "INSERT, UPDATE, DELETE, TRUNCATE"
_APPENDING = "UPDATE, DELETE, TRUNCATE"
_QUERY = """
    SELECT c.relname FROM pg_class c
    LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND (%(tables)s::text[] IS NULL OR coalesce(root.relname, c.relname) = ANY(%(tables)s))
      AND has_table_privilege(c.oid, %(right)s)
    ORDER BY 1
"""


def excesses(settings: Mapping[str, str]) -> list[str]:
    """What roles may do and should not, in words; nothing when all is well."""
    app, looking = settings["DATABASE_URL"], (ROLE_SETTINGS["reader"], ROLE_SETTINGS["verifier"])
    found = [f"app may change {table}" for table in _allowed(app, _APPENDING, APPEND_ONLY)]
    for name in looking:
        kind = name.removeprefix("AUTONOMY_").removesuffix("_URL").lower()
        url = settings[name]
        found += [f"{kind} may change {table}" for table in _allowed(url, _CHANGING, None)]
        found += [f"{kind} may read {table}" for table in _allowed(url, "SELECT", HIDDEN_TABLES)]
    return found


def _allowed(url: str, right: str, tables: frozenset[str] | None) -> list[str]:
    """The tables on which the role has any of those rights."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        rows = connection.execute(
            _QUERY, {"tables": sorted(tables) if tables else None, "right": right}
        )
        return [name for (name,) in rows]
