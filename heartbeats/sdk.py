"""What the author of a detector needs: `detector`, `View`, `Finding` (E-1)."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from autonomy.domain.amounts import seconds
from autonomy.sdk import registry

MOST_FINDINGS = 1_000


class Finding(BaseModel):
    """Something noticed: the skill it asks for, with which arguments, and why."""

    model_config = ConfigDict(frozen=True)

    skill: str
    args: dict[str, Any]
    dedupe_key: str
    reason: str
    once: bool = False
    """Acted on a single time per key, ever: for things that are new only once."""


@dataclass(frozen=True)
class View:
    """The read-only view of one tick."""

    now: datetime
    due_at: datetime
    params: Mapping[str, Any]
    query: Callable[..., list[dict[str, Any]]] = field(repr=False)
    """`query(sql, params)`: rows of a READ ONLY query as the reader role."""


@dataclass
class Detector:
    """A declared detector."""

    name: str
    look: Callable[..., Iterable[Finding]]
    every_seconds: float
    kind: str
    network: bool
    owner: str
    description: str
    params: type[BaseModel]
    module: str
    version: str = ""
    tier: int = 1

    def findings(
        self,
        *,
        now: datetime,
        due_at: datetime,
        params: Mapping[str, Any],
        query: Callable[..., list[dict[str, Any]]],
    ) -> list[dict[str, Any]]:
        """What it notices, in JSON form; parameters that do not fit raise ValidationError."""
        given = self.params.model_validate(dict(params))
        values = {name: getattr(given, name) for name in self.params.model_fields}
        noticed = self.look(View(now, due_at, values, query), **values)
        return [finding.model_dump(mode="json") for finding in islice(noticed, MOST_FINDINGS)]

    def declaration(self) -> dict[str, Any]:
        """What the map keeps."""
        return {
            "every_seconds": self.every_seconds,
            "kind": self.kind,
            "network": self.network,
            "params": self.params.model_json_schema(),
        }


def detector(
    *,
    every: str | float,
    kind: Literal["temporal", "threshold", "external", "pattern"],
    name: str | None = None,
    network: bool = False,
    owner: str = "",
) -> Callable[[Callable[..., Iterable[Finding]]], Detector]:
    """Declare `(view, **params) -> Iterable[Finding]` as a detector: it may look, never act."""

    def declare(look: Callable[..., Iterable[Finding]]) -> Detector:
        parameters = list(inspect.signature(look).parameters.values())[1:]
        fields: dict[str, Any] = {
            p.name: (p.annotation, ... if p.default is p.empty else p.default) for p in parameters
        }
        declared = Detector(
            name=name or look.__name__,
            look=look,
            every_seconds=seconds(every),
            kind=kind,
            network=network,
            owner=owner,
            description=(inspect.getdoc(look) or "").partition("\n")[0],
            params=create_model(look.__name__, __config__=ConfigDict(extra="forbid"), **fields),
            module=look.__module__,
        )
        registry.add("detector", declared.name, declared)
        return declared

    return declare
