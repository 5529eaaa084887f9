"""Finding a row by the end or the beginning of its id, as people copy it."""

import re
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace

SEARCHED = 100_000
"""The end of an id is looked for among this many of the newest rows."""

Row = TypeVar("Row", bound=Model)


class UnknownId(Exception):
    """Nothing has that id; the message says how to find one that is there."""


class AmbiguousId(Exception):
    """Several rows have that id; the message lists them."""


def named(rows: QuerySet[Row], given: str, *, what: str, listing: str) -> Row:
    """The one row whose id is, ends with, or begins with what was given."""
    digits = given.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
        raise UnknownId(f"{given!r} is no id: give at least 4 of its characters 0-9 and a-f")
    found = _beginning(rows, digits) | _ending(rows, digits)
    if not found:
        raise UnknownId(f"there is no {what} {given}; `{listing}` lists them")
    if len(found) > 1:
        raise AmbiguousId(f"{given} could be any of {', '.join(sorted(found))}; give more of it")
    return rows.get(pk=found.pop())


def _beginning(rows: QuerySet[Row], digits: str) -> set[str]:
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return {str(pk) for pk in rows.filter(pk__range=(first, last)).values_list("pk", flat=True)[:5]}


def _ending(rows: QuerySet[Row], digits: str) -> set[str]:
    """Bounded first, so that a table of any size answers at once."""
    oldest = rows.order_by("-pk").values_list("pk", flat=True)[SEARCHED - 1 : SEARCHED].first()
    recent = rows.filter(pk__gte=oldest) if oldest else rows
    without_dashes = Replace(Cast("pk", TextField()), Value("-"), Value(""))
    matching = recent.annotate(hex=without_dashes).filter(hex__endswith=digits)
    return {str(pk) for pk in matching.values_list("pk", flat=True)[:5]}
