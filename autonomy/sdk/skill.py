"""Declaring a skill: an action with a schema, a tier, limits, a scope and a verifier (C-12)."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic
from pydantic import BaseModel, TypeAdapter

from autonomy.domain.amounts import seconds
from autonomy.domain.isolation import Rung
from autonomy.sdk import registry
from autonomy.sdk.errors import SkillDeclarationError
from autonomy.sdk.evidence import Part
from autonomy.sdk.limits import (
    Edges,
    Limits,
    Retries,
    amount,
    isolation_of,
    limits_of,
    problems_of,
    retries_of,
)
from autonomy.sdk.naming import LONGEST_DESCRIPTION, check_line, check_name, labels_of
from autonomy.sdk.plan import Answer, Plan
from autonomy.sdk.scope import BadScope, Scope
from autonomy.sdk.signature import arguments_of, result_of

__all__ = ["BadArguments", "Limits", "Retries", "Skill", "skill"]


class BadArguments(ValueError):
    """Arguments that do not fit the schema; the message names each field."""


@dataclass
class Skill:
    """A declared skill and its hooks. Calling it is left to sessions."""

    name: str
    run: Callable[..., Any]
    tier: int
    owner: str
    description: str
    limits: Limits
    retries: Retries
    scope: Scope
    estimate_seconds: float
    isolation: Rung
    foreign_code: bool
    critical: bool
    arguments: type[BaseModel]
    result: TypeAdapter[Any]
    module: str
    verify_within_seconds: float = 120.0
    on_ambiguous: typing.Literal["hold", "verify"] = "hold"
    version: str = ""  # filled in by the registry: a hash of the module and its package
    preflight_hook: Callable[..., Plan] | None = None
    verify_hook: Callable[..., Part] | None = None
    reads_hook: Callable[..., Mapping[str, str]] | None = None
    reconcile_hook: Callable[..., Answer] | None = None
    labels: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse what could not be stored, shown or run; raises SkillDeclarationError."""
        check_name(self.name)
        if self.tier not in (1, 2, 3):
            raise SkillDeclarationError(f"tier of {self.name} is {self.tier!r}; use 1, 2 or 3")
        check_line(f"owner of {self.name}", self.owner)
        check_line(f"description of {self.name}", self.description, LONGEST_DESCRIPTION)
        try:
            self.scope.check(self.arguments.model_fields)
        except BadScope as error:
            raise SkillDeclarationError(f"{self.name}: {error}") from None

    def preflight(self, hook: Callable[..., Plan]) -> Callable[..., Plan]:
        """Register `(ctx, **args) -> Plan`: says what would change, changes nothing."""
        self.preflight_hook = hook
        return hook

    def verify(self, hook: Callable[..., Part]) -> Callable[..., Part]:
        """Register `(ctx, args, result) -> Evidence`: looks at the world, not at words."""
        self.verify_hook = hook
        return hook

    def reads(self, hook: Callable[..., Mapping[str, str]]) -> Callable[..., Mapping[str, str]]:
        """Register `(**args) -> {name: hash}`: the world an approval is bound to (F-3)."""
        self.reads_hook = hook
        return hook

    def reconcile(self, hook: Callable[..., Answer]) -> Callable[..., Answer]:
        """Register `(ctx, step, args) -> Settled`, or evidence: whether a begun effect happened."""
        self.reconcile_hook = hook
        return hook

    def checked(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in JSON form after the schema has accepted them; raises BadArguments."""
        return self._parsed(args).model_dump(mode="json")

    def values(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the Python values that the function takes; raises BadArguments."""
        parsed = self._parsed(args)
        return {name: getattr(parsed, name) for name in self.arguments.model_fields}

    def _parsed(self, args: Mapping[str, Any]) -> BaseModel:
        try:
            return self.arguments.model_validate(dict(args))
        except pydantic.ValidationError as error:
            raise BadArguments(problems_of(error)) from None

    def declaration(self) -> dict[str, Any]:
        """What the map keeps: everything but the code."""
        return {
            "arguments": self.arguments.model_json_schema(),
            "limits": self.limits.model_dump(),
            "retries": self.retries.model_dump(),
            "scope": self.scope.model_dump(mode="json"),
            "estimate_seconds": self.estimate_seconds,
            "isolation": self.isolation,
            "foreign_code": self.foreign_code,
            "critical": self.critical,
            "labels": sorted(self.labels),
            "has_preflight": self.preflight_hook is not None,
            "verify_within_seconds": self.verify_within_seconds,
            "on_ambiguous": self.on_ambiguous,
            "has_verifier": self.verify_hook is not None,
            "has_reads": self.reads_hook is not None,
        }


def skill(
    *,
    name: str | None = None,
    tier: int = 3,
    owner: str = "",
    retries: int = 2,
    backoff: str | float = "2s",
    on_exhausted: typing.Literal["fail", "hold"] = "fail",
    verify_within: str | float = "2m",
    on_ambiguous: typing.Literal["hold", "verify"] = "hold",
    scope: Scope | None = None,
    estimate: str | float = "10s",
    isolation: typing.Literal["process", "files", "network", "syscalls"] | None = None,
    foreign_code: bool = False,
    critical: bool = False,
    labels: typing.Iterable[str] = (),
    **edges: typing.Unpack[Edges],
) -> Callable[[Callable[..., Any]], Skill]:
    """Declare a function as a skill; an undeclared tier is 3, undeclared tokens and dollars none.

    Its limits are `timeout`, `cpu`, `memory`, `disk`, `output`, `processes`, `open_files`, `tokens`
    and `dollars`, as in `limits_of`.

    `verify_within` is how long after its end its verifier may look for evidence, and `on_ambiguous`
    whether that verifier is asked, without a result, when nobody can tell if an effect happened.
    `isolation` is the least that it needs: it starts nowhere else. `foreign_code` says that the
    session runs code nobody here has read, and needs at least `network`. Raises
    SkillDeclarationError.
    """

    def declare(run: Callable[..., Any]) -> Skill:
        frame = inspect.currentframe()
        here = frame.f_back if frame else None
        named = name or f"{run.__module__.rpartition('.')[2]}.{run.__name__}"
        declared = Skill(
            name=named,
            run=run,
            tier=tier,
            owner=owner,
            description=(inspect.getdoc(run) or "").partition("\n")[0],
            limits=limits_of(named, **edges),
            retries=retries_of(named, retries, backoff=backoff, on_exhausted=on_exhausted),
            verify_within_seconds=amount(f"verify_within of {named}", seconds, verify_within),
            on_ambiguous=_checked(named, on_ambiguous),
            scope=scope or Scope(),
            estimate_seconds=amount(f"estimate of {named}", seconds, estimate),
            isolation=isolation_of(named, isolation, foreign_code=foreign_code),
            foreign_code=foreign_code,
            critical=critical,
            arguments=arguments_of(run, here),
            result=result_of(run, here),
            module=run.__module__,
            labels=labels_of(labels),
        )
        registry.add("skill", declared.name, declared)
        return declared

    return declare


def _checked(
    name: str, on_ambiguous: typing.Literal["hold", "verify"]
) -> typing.Literal["hold", "verify"]:
    if on_ambiguous not in ("hold", "verify"):
        raise SkillDeclarationError(f"on_ambiguous of {name} is {on_ambiguous!r}; hold or verify")
    return on_ambiguous
