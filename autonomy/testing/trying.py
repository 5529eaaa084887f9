"""From a loaded skill and its arguments to the orders of its sessions."""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions import folders
from autonomy.sessions.events import Loaded
from autonomy.sessions.orders import Order, Purpose

_STRANGER = 0x6FFF_FFF0
"""As root, sessions run as a user that no range of a distribution or directory hands out."""


class UnknownSkill(LookupError):
    """No module or file of the folders declares it; the message tells what is broken there."""


@dataclass(frozen=True)
class Attempt:
    """What all sessions of one attempt share."""

    skill: Loaded
    args: Mapping[str, Any]
    home: Path
    upstream: Sequence[Mapping[str, Any]]
    task_id: UUID
    number: int

    def order(self, purpose: Purpose, **more: Any) -> Order:
        """The order of one session."""
        declared = self.skill.declaration
        return Order(
            session_id=uuid4(),
            task_id=self.task_id,
            purpose=purpose,
            component=self.skill.name,
            version=self.skill.version,
            args=dict(self.args),
            attempt=self.number,
            nonce=secrets.token_hex(4),
            folder=self.home / "work",
            artifacts=self.home / "artifacts",
            limits=Limits.model_validate(declared["limits"]),
            scope=Scope.model_validate(declared["scope"]).resolved(self.known()),
            isolation=declared["isolation"],
            foreign_code=declared["foreign_code"] and purpose is not Purpose.VERIFY,
            upstream=tuple(map(dict, self.upstream)),
            uid=_uid(),
            **more,
        )

    def known(self) -> dict[str, object]:
        """The arguments, and the defaults of those that were not given."""
        properties = self.skill.declaration["arguments"].get("properties", {})
        defaults = {name: one["default"] for name, one in properties.items() if "default" in one}
        return {**defaults, **self.args}

    def begin(self) -> None:
        """Make its folders, fresh and private."""
        self.home.mkdir(mode=0o755)
        for name in ("work", "artifacts"):
            folders.fresh(self.home / name, uid=_uid())

    def kept(self) -> dict[str, Path]:
        """The files it left in its artifacts."""
        root = self.home / "artifacts"
        return {str(path.relative_to(root)): path for path in sorted(root.rglob("*"))}


def verification(attempt: Attempt, result: Any, started_at: datetime | None) -> Order:
    """The order of the verifier."""
    return attempt.order(Purpose.VERIFY, result=result, started_at=started_at)


def _uid() -> int | None:
    return _STRANGER if os.geteuid() == 0 else None
