"""What is expected of skills, from what they did lately."""

from collections.abc import Iterable
from uuid import UUID

from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.models import SkillEstimate

_TOO_FADED = 1e-9  # what is left of one run after fifteen hours of failures


def estimates(skills: Iterable[str], *, workspace_id: UUID = DEFAULT_WORKSPACE) -> dict[str, float]:
    """Seconds that verified runs have taken lately, for the skills that had any (D-8)."""
    rows = SkillEstimate.objects.filter(
        workspace_id=workspace_id, skill__in=set(skills), verified_weight__gt=_TOO_FADED
    )
    sums = rows.values_list("skill", "seconds_sum", "verified_weight")
    return {skill: seconds / weight for skill, seconds, weight in sums}
