"""Whether the database holds the rows that were promised, asked as a role that can only read."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autonomy.sdk.errors import Permanent, Transient
from autonomy.sdk.evidence import Check, Verdict, check, undecided

Query = Callable[..., list[dict[str, Any]]]
MOST_ROWS = 10_000
"""A query answers no more; where it answers so many, there may be others."""

_NO_ANSWER = (Transient, Permanent)
"""What a query raises when the database is away or does not understand it."""


def rows_are(
    looked_at: str,
    query: Query,
    sql: str,
    params: Sequence[Any],
    *,
    expected: Iterable[Mapping[str, Any]],
) -> Check:
    """The query answers exactly these rows, in whatever order."""
    promised = _told(expected)
    try:
        rows = query(sql, params)
    except _NO_ANSWER as error:
        return undecided(looked_at, expected=promised, why=f"no answer: {error}")
    if len(rows) >= MOST_ROWS:
        return undecided(looked_at, expected=promised, why=f"{MOST_ROWS} rows or more")
    seen = _told(rows)
    digest = hashlib.sha256("\n".join(seen).encode(errors="replace")).hexdigest()
    told = check(looked_at, expected=promised, seen=seen)
    return told.model_copy(update={"found": {"rows": str(len(rows)), "sha256": digest}})


def count_is(
    looked_at: str,
    query: Query,
    sql: str,
    params: Sequence[Any],
    *,
    exactly: int | None = None,
    at_least: int | None = None,
) -> Check:
    """The query answers one number, and it is this one, or this one or more."""
    if (exactly is None) is (at_least is None):
        raise ValueError("say either `exactly` or `at_least`")
    expected = f"exactly {exactly}" if at_least is None else f"at least {at_least}"
    try:
        rows = query(sql, params)
    except _NO_ANSWER as error:
        return undecided(looked_at, expected=expected, why=f"no answer: {error}")
    values = [value for row in rows for value in row.values()]
    if len(values) != 1 or not isinstance(values[0], int) or isinstance(values[0], bool):
        return undecided(looked_at, expected=expected, why=f"not one number: {_told(rows)}")
    good = values[0] == exactly if at_least is None else values[0] >= at_least
    return Check(
        looked_at=looked_at,
        expected=expected,
        seen=str(values[0]),
        verdict=Verdict.VERIFIED if good else Verdict.REFUTED,
    )


def _told(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(
        ", ".join(f"{name} {value}" for name, value in sorted(row.items())) for row in rows
    )
