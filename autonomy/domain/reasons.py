"""The reasons for which a task is not running (D-21): exactly one of them binds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """What keeps a task from running now."""

    NO_CAPABLE_NODE = "no capable node"
    TIER_POOL_EMPTY = "node pool for its tier empty"
    KEY_LIMIT = "key limit"
    RATE = "rate"
    APPROVAL = "approval"
    BUDGET = "budget"
    AUTONOMY_LEVEL = "autonomy level"
    PAUSED = "paused"
    DEPENDENCY = "dependency"
    NOT_DUE = "not due"
    BACK_OFF = "back-off"
    QUARANTINE = "quarantine"
    PRIORITY = "higher priority work ahead"


@dataclass(frozen=True)
class Waiting:
    """The binding reason, one sentence, and the figures behind it."""

    reason: Reason
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)
