"""Whether the database holds the rows that were promised."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autonomy.sdk.evidence import Check, check


def rows_are(
    looked_at: str,
    query: Callable[..., list[dict[str, Any]]],
    sql: str,
    params: Sequence[Any],
    *,
    expected: Iterable[Mapping[str, Any]],
) -> Check:
    """The query answers exactly these rows, in whatever order."""
    return check(looked_at, expected=_told(expected), seen=_told(query(sql, params)))


def _told(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(
        ", ".join(f"{name} {value}" for name, value in sorted(row.items())) for row in rows
    )
