"""What the zygote is told of an order: all it needs to fork and to watch, and no more.

Arguments, results and database URLs go from the supervisor straight to the session, so that they
never lie in the memory that later sessions inherit.
"""

from dataclasses import asdict, dataclass
from typing import Any

from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions.orders import Order, Purpose


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
    """Private, beside the folder, gone with the session; empty for those who may not write."""
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
            **asdict(self),
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
    return str(order.folder.with_name(f"{order.folder.name}.{order.session_id.hex[-8:]}.tmp"))


def contents(order: Order) -> dict[str, Any]:
    """What the session itself is told. Only a looker is told how to reach a database."""
    if order.purpose is not Purpose.LOOK:
        hidden = {"database_url": "", "asks_database": bool(order.database_url)}
        order = order.model_copy(update=hidden)
    return order.model_dump(mode="json")
