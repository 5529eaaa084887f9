"""What a check of the whole chain answers."""

from dataclasses import dataclass
from enum import StrEnum


class Disagreement(StrEnum):
    """How a row differs from what was sealed."""

    EVENT_ALTERED = "event altered"
    EVENT_MISSING = "event missing"
    EVENT_ADDED = "event added"
    BODY_ALTERED = "body altered"
    BODY_MISSING = "body missing"
    BODY_ADDED = "body added"
    SEAL_MISSING = "seal missing"
    SEALS_ALTERED = "seals altered"
    BLOCK_ALTERED = "block altered"
    BLOCK_MISSING = "block missing"
    ANCHOR_DISAGREES = "anchor disagrees"


@dataclass(frozen=True)
class Problem:
    """The first row that disagrees: an event's id, or a number of a seal, block or line."""

    kind: Disagreement
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.detail}"


@dataclass(frozen=True)
class Verification:
    """How far the chain was checked, how many bodies were erased, and the first problem, if any."""

    blocks: int
    events: int
    erased: int
    anchors: int
    head: str
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return self.problem is None
