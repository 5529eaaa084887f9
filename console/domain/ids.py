"""Ids as people copy them."""

from uuid import UUID


def short(id_: UUID | str) -> str:
    """The end of an id: enough to find the row again."""
    return str(id_).replace("-", "")[-8:]
