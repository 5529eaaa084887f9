"""Which version of the code decides: a pass made by another one may come out otherwise (D-22)."""

import hashlib
from functools import cache
from pathlib import Path

from autonomy.domain import (
    decide,
    fairness,
    ordering,
    placement,
    pricing,
    priority,
    reasons,
    scores,
    standing,
    world,
)
from firewall.domain import levels

_DECIDES = (
    decide, fairness, levels, ordering, placement, pricing, priority, reasons, scores, standing,
    world,
)  # fmt: skip


@cache
def core_version() -> str:
    """A hash of the sources that a decision depends on."""
    summed = hashlib.sha256()
    for module in _DECIDES:
        summed.update(Path(str(module.__file__)).read_bytes())
    return summed.hexdigest()[:12]
