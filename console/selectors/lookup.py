"""Finding a row by the end or the beginning of its id, as people copy it."""

import re
from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace

SEARCHED = 100_000
"""The end of an id is looked for among this many of the newest rows."""

_SHOWN = 5

Row = TypeVar("Row", bound=Model)


class UnknownId(Exception):
    """Nothing has that id; the message says how to find one that is there."""


class AmbiguousId(Exception):
    """Several rows have that id; the message lists them."""


def named(rows: QuerySet[Row], given: str, *, what: str, listing: str) -> Row:
    """The one row whose id is, ends with, or begins with what was given."""
    return rows.get(pk=only(matching(rows, given), given, what=what, listing=listing))


def matching(rows: QuerySet[Row], given: str) -> set[UUID]:
    """The ids that match, a few at most; raises UnknownId for what cannot be one."""
    digits = given.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
        raise UnknownId(f"{given!r} is no id: give at least 4 of its characters 0-9 and a-f")
    return _beginning(rows, digits) | _ending(rows, digits)


def only(found: Collection[UUID], given: str, *, what: str, listing: str) -> UUID:
    """The one id that was found; raises UnknownId or AmbiguousId."""
    if not found:
        raise UnknownId(f"there is no {what} {given}; `{listing}` lists them")
    if len(found) > 1:
        ids = ", ".join(map(str, sorted(found)))
        raise AmbiguousId(f"{given} could be any of {ids}; give more of it")
    return next(iter(found))


def _beginning(rows: QuerySet[Row], digits: str) -> set[UUID]:
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return set(rows.filter(pk__range=(first, last)).values_list("pk", flat=True)[:_SHOWN])


def _ending(rows: QuerySet[Row], digits: str) -> set[UUID]:
    """Bounded first, so that a table of any size answers at once."""
    oldest = rows.order_by("-pk").values_list("pk", flat=True)[SEARCHED - 1 : SEARCHED].first()
    recent = rows.filter(pk__gte=oldest) if oldest else rows
    without_dashes = Replace(
        Cast("pk", TextField()), Value("-"), Value(""), output_field=TextField()
    )
    found = recent.annotate(hex=without_dashes).filter(hex__endswith=digits)
    return set(found.values_list("pk", flat=True)[:_SHOWN])
