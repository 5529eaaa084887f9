"""What the zygote is told of an order: all it needs to fork and to watch, and no more.

Arguments, results and database URLs go from the supervisor straight to the session, so that they
never lie in the memory that later sessions inherit.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions.orders import Assignment, Order, Purpose


@dataclass(frozen=True)
class Envelope:
    """An order without its contents."""

    session_id: str
    purpose: Purpose
    component: str
    version: str
    folder: str
    artifacts: str
    temp: str
    """Private, gone with the session; empty for those who may not write."""
    readable: tuple[str, ...]
    limits: Limits
    scope: Scope
    isolation: int
    """The least that it needs."""
    foreign_code: bool
    uid: int | None
    leased_at: float
    """By the clock of `autonomy.sessions.clock`, when the lease was asked for."""

    def as_json(self) -> dict[str, Any]:
        """The form that is sent."""
        return {
            **vars(self),
            "limits": self.limits.model_dump(),
            "scope": self.scope.model_dump(),
        }

    @classmethod
    def of(cls, order: Order, *, leased_at: float) -> "Envelope":
        """What the zygote is told of this order."""
        artifacts = (item.get("artifacts", {}) for item in order.upstream)
        return cls(
            session_id=str(order.session_id),
            purpose=order.purpose,
            component=order.component,
            version=order.version,
            folder=str(order.folder),
            artifacts=str(order.artifacts),
            temp=_temp(order),
            readable=tuple(str(path) for files in artifacts for path in files.values()),
            limits=order.limits,
            scope=order.scope,
            isolation=order.isolation,
            foreign_code=order.foreign_code,
            uid=order.uid,
            leased_at=leased_at,
        )

    @classmethod
    def from_json(cls, message: dict[str, Any]) -> "Envelope":
        """What was sent."""
        known = {
            "purpose": Purpose(message["purpose"]),
            "readable": tuple(message["readable"]),
            "limits": Limits(**message["limits"]),
            "scope": Scope(**message["scope"]),
        }
        return cls(**{**message, **known})


def _temp(order: Order) -> str:
    if order.purpose is Purpose.LOOK:
        return ""
    return str((order.temps or order.folder.parent) / f"{order.session_id}.tmp")


def contents(order: Order) -> dict[str, Any]:
    """What the session itself is told. Only a looker is told how to reach a database."""
    if order.purpose is Purpose.LOOK:
        return {"database_url": order.database_url}
    return {
        "task_id": str(order.task_id),
        "args": order.args,
        "attempt": order.attempt,
        "nonce": order.nonce,
        "upstream": to_jsonable_python(order.upstream),
        "idempotency_base": order.idempotency_base,
        "result": order.result,
        "step": order.step,
        "asks_database": bool(order.database_url),
        "started_at": order.started_at and order.started_at.isoformat(),
        "waited_seconds": order.waited_seconds,
        "has_result": order.has_result,
        "has_folder": order.has_folder,
        "has_artifacts": order.has_artifacts,
    }


def assignment(envelope: Envelope, told: dict[str, Any]) -> Assignment:
    """What the session does, from both."""
    started_at = told.pop("started_at")
    return Assignment(
        purpose=envelope.purpose,
        scope=envelope.scope,
        folder=Path(envelope.folder),
        artifacts=Path(envelope.artifacts),
        task_id=UUID(told.pop("task_id")),
        started_at=datetime.fromisoformat(started_at) if started_at else None,
        **told,
    )
