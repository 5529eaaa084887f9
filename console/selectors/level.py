"""How much may run alone now, who says so, and from which numbers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from autonomy.engine.selectors import in_force
from autonomy.engine.selectors.gauge import weighed
from firewall.domain.levels import Level, of_rank
from firewall.models import Dial


@dataclass(frozen=True)
class LevelLine:
    """The dial, in one shape."""

    level: str
    words: str
    ceiling: str
    ceiling_by: str
    ceiling_reason: str
    ceiling_at: datetime | None
    chosen: str
    chosen_reason: str
    chosen_at: datetime | None
    changed_at: datetime | None
    evidence: dict[str, Any] = field(default_factory=dict)


def level_line() -> LevelLine:
    """As it stands, with the numbers of this moment; three statements."""
    dial = Dial.objects.first()
    if dial is None:
        return LevelLine(
            Level.OFF, "the row that says it is missing", "", "", "", None, "", "", None, None
        )
    level = of_rank(dial.in_force)
    return LevelLine(
        level=level,
        words=level.words,
        ceiling=of_rank(dial.ceiling),
        ceiling_by=dial.ceiling_by,
        ceiling_reason=dial.ceiling_reason,
        ceiling_at=dial.ceiling_at,
        chosen=of_rank(dial.chosen),
        chosen_reason=dial.chosen_reason,
        chosen_at=dial.chosen_at,
        changed_at=dial.changed_at,
        evidence=weighed().evidence(in_force().rules),
    )
