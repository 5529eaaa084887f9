"""The file that holds the head of the chain outside the database."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from ledger.domain.anchors import Anchor, Forged, Torn, read

T = TypeVar("T")


def anchor_file() -> Path:
    """Where it is."""
    return Path(settings.AUTONOMY_HOME) / "anchor" / "ledger.log"


def anchors(workspace_id: UUID) -> Iterator[Anchor]:
    """The anchors of a workspace, oldest first; raises Forged, naming the line.

    A line torn by a power cut is passed over: an attacker could as well remove it.
    """
    if not anchor_file().exists():
        return
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    with anchor_file().open(errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                anchor = read(line, keys)
            except Torn:
                continue
            except Forged:
                raise Forged(f"{anchor_file()} line {number}") from None
            if anchor.workspace_id == str(workspace_id):
                yield anchor


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most that size."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
