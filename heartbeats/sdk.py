"""What the author of a detector needs: `detector`, `View`, `Finding` (E-1)."""

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from autonomy.domain.amounts import seconds
from autonomy.sdk import registry
from autonomy.sdk.errors import SkillDeclarationError, Transient

Query = Callable[..., list[dict[str, Any]]]

MOST_FINDINGS = 1_000


class Unreachable(Transient):
    """What a detector looks at over the network did not answer, which is not its fault."""

    WORDS = "unreachable: "


class Finding(BaseModel):
    """Something noticed: the skill it asks for, with which arguments, and why."""

    model_config = ConfigDict(frozen=True)

    skill: str = Field(min_length=1, max_length=200)
    args: dict[str, Any]
    dedupe_key: str = Field(min_length=1, max_length=200)
    """What was noticed: while a task for it is open, the same finding asks for no other."""
    reason: str
    once: bool = False
    """Acted on a single time per key, ever: for things that are new only once."""


@dataclass(frozen=True)
class View:
    """The read-only view of one tick."""

    now: datetime
    due_at: datetime
    params: Mapping[str, Any]
    query: Query = field(repr=False)
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
    read: tuple[str, ...] = ()
    version: str = ""
    tier: int = 1

    def findings(
        self, *, now: datetime, due_at: datetime, params: Mapping[str, Any], query: Query
    ) -> list[dict[str, Any]]:
        """Look once; the findings in JSON form. Raises what the detector raises, or Unreachable."""
        checked = self.params.model_validate(dict(params))
        values = {name: getattr(checked, name) for name in self.params.model_fields}
        view = View(now=now, due_at=due_at, params=values, query=query)
        try:
            noticed = islice(self.look(view, **values), MOST_FINDINGS + 1)
            return [Finding.model_validate(f).model_dump(mode="json") for f in noticed]
        except OSError as error:
            if self.network and _from_the_network(error):
                raise Unreachable(f"{Unreachable.WORDS}{error}") from error
            raise

    def declaration(self) -> dict[str, Any]:
        """What the map keeps."""
        return {
            "every_seconds": self.every_seconds,
            "kind": self.kind,
            "network": self.network,
            "read": list(self.read),
            "params": self.params.model_json_schema(),
        }


def detector(
    *,
    every: str | float,
    kind: Literal["temporal", "threshold", "external", "pattern"],
    name: str | None = None,
    network: bool = False,
    read: tuple[str, ...] = (),
    owner: str = "",
) -> Callable[[Callable[..., Iterable[Finding]]], Detector]:
    """Declare `(view, **params) -> Iterable[Finding]` as a detector: it may look, never act.

    `read` names files and folders that it looks at; one may be a parameter: `read=("{folder}",)`.
    """

    def declare(look: Callable[..., Iterable[Finding]]) -> Detector:
        params = _params(look)
        _check_read(read, params)
        declared = Detector(
            name=name or look.__name__,
            look=look,
            every_seconds=seconds(every),
            kind=kind,
            network=network,
            owner=owner,
            description=(inspect.getdoc(look) or "").partition("\n")[0],
            params=params,
            module=look.__module__,
            read=read,
        )
        registry.add("detector", declared.name, declared)
        return declared

    return declare


def _params(look: Callable[..., Iterable[Finding]]) -> type[BaseModel]:
    """A model of the parameters after the view; others are refused."""
    hints = typing.get_type_hints(look, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(look).parameters.values())[1:]:
        if parameter.name not in hints:
            raise SkillDeclarationError(
                f"parameter {parameter.name!r} of {look.__qualname__} has no type; add one"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(look.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _check_read(read: tuple[str, ...], params: type[BaseModel]) -> None:
    required = {name for name, field in params.model_fields.items() if field.is_required()}
    named = {name for path in read for _, name, _, _ in Formatter().parse(path) if name is not None}
    if not named <= required:
        unknown = ", ".join(sorted(named - required))
        raise SkillDeclarationError(f"`read` names {unknown}: no parameter without a default")


def _from_the_network(error: OSError) -> bool:
    """Whether something far away is the cause: errors of files name one, a sandbox forbids."""
    return error.filename is None and not isinstance(error, PermissionError)
