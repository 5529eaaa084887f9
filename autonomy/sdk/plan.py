"""What a pre-flight answers, and how an effect of unknown fate is settled."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Plan(BaseModel):
    """What a task would change, and whether it should go on (F-2)."""

    model_config = ConfigDict(frozen=True)

    go: bool
    summary: str
    diff: str = ""


class Settled(BaseModel):
    """The answer of a `reconcile` hook: whether an effect that was begun has happened (C-9)."""

    model_config = ConfigDict(frozen=True)

    happened: bool
    result: Any = None
