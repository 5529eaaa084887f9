"""Declaring a skill: an action with a schema, a tier, limits, a scope and a verifier (C-12)."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, TypeAdapter

from autonomy.domain.amounts import seconds, size
from autonomy.sdk import registry
from autonomy.sdk.errors import SkillDeclarationError
from autonomy.sdk.evidence import Evidence
from autonomy.sdk.plan import Plan, Settled
from autonomy.sdk.scope import Scope


class BadArguments(ValueError):
    """Arguments that do not fit the schema; the message names each field."""


class Limits(BaseModel):
    """The hard edges of a session (C-15). Seconds and bytes; crossing one ends that session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_seconds: float = 300
    cpu_seconds: float = 300
    memory_bytes: int = 512_000_000
    disk_bytes: int = 512_000_000
    output_bytes: int = 1_000_000
    result_bytes: int = 1_000_000
    processes: int = 64
    open_files: int = 256


class Retries(BaseModel):
    """How often, and how far apart, a failed attempt is repeated (C-7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = pydantic.Field(default=3, ge=1, le=100)
    base_seconds: float = pydantic.Field(default=2.0, ge=0)
    cap_seconds: float = pydantic.Field(default=300.0, ge=0)
    on_exhausted: typing.Literal["fail", "hold"] = "fail"


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
    foreign_code: bool
    critical: bool
    arguments: type[BaseModel]
    result: TypeAdapter[Any]
    module: str
    version: str = ""  # filled in by the registry: a hash of the module and its package
    preflight_hook: Callable[..., Plan] | None = None
    verify_hook: Callable[..., Evidence] | None = None
    reads_hook: Callable[..., Mapping[str, str]] | None = None
    reconcile_hook: Callable[..., Settled] | None = None
    labels: frozenset[str] = field(default_factory=frozenset)

    def preflight(self, hook: Callable[..., Plan]) -> Callable[..., Plan]:
        """Register `(ctx, **args) -> Plan`: says what would change, changes nothing."""
        self.preflight_hook = hook
        return hook

    def verify(self, hook: Callable[..., Evidence]) -> Callable[..., Evidence]:
        """Register `(ctx, args, result) -> Evidence`: looks at the world, not at words."""
        self.verify_hook = hook
        return hook

    def reads(self, hook: Callable[..., Mapping[str, str]]) -> Callable[..., Mapping[str, str]]:
        """Register `(**args) -> {name: hash}`: the world an approval is bound to (F-3)."""
        self.reads_hook = hook
        return hook

    def reconcile(self, hook: Callable[..., Settled]) -> Callable[..., Settled]:
        """Register `(ctx, step, args) -> Settled`: whether a begun effect has happened."""
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
            raise BadArguments(_problems(error)) from None

    def declaration(self) -> dict[str, Any]:
        """What the map keeps: everything but the code."""
        return {
            "arguments": self.arguments.model_json_schema(),
            "limits": self.limits.model_dump(),
            "retries": self.retries.model_dump(),
            "scope": self.scope.model_dump(mode="json"),
            "estimate_seconds": self.estimate_seconds,
            "foreign_code": self.foreign_code,
            "critical": self.critical,
            "labels": sorted(self.labels),
            "has_preflight": self.preflight_hook is not None,
            "has_verifier": self.verify_hook is not None,
            "has_reads": self.reads_hook is not None,
        }


def skill(
    *,
    name: str | None = None,
    tier: int = 3,
    owner: str = "",
    timeout: str | float = "5m",
    memory: str | int = "512MB",
    disk: str | int = "512MB",
    output: str | int = "1MB",
    processes: int = 64,
    retries: int = 2,
    backoff: str | float = "2s",
    on_exhausted: typing.Literal["fail", "hold"] = "fail",
    scope: Scope | None = None,
    estimate: str | float = "10s",
    foreign_code: bool = False,
    critical: bool = False,
    labels: typing.Iterable[str] = (),
) -> Callable[[Callable[..., Any]], Skill]:
    """Declare a function as a skill; an undeclared tier is 3.

    `foreign_code` says that the session runs code nobody here has read: it then starts only where
    its files and its network can be cut off. Raises SkillDeclarationError.
    """

    def declare(run: Callable[..., Any]) -> Skill:
        if tier not in (1, 2, 3):
            raise SkillDeclarationError(f"tier of {run.__qualname__} is {tier}; use 1, 2 or 3")
        declared = Skill(
            name=name or f"{run.__module__.rpartition('.')[2]}.{run.__name__}",
            run=run,
            tier=tier,
            owner=owner,
            description=(inspect.getdoc(run) or "").partition("\n")[0],
            limits=Limits(
                wall_seconds=seconds(timeout),
                cpu_seconds=seconds(timeout),
                memory_bytes=size(memory),
                disk_bytes=size(disk),
                output_bytes=size(output),
                processes=processes,
            ),
            retries=Retries(
                max_attempts=retries + 1, base_seconds=seconds(backoff), on_exhausted=on_exhausted
            ),
            scope=scope or Scope(),
            estimate_seconds=seconds(estimate),
            foreign_code=foreign_code,
            critical=critical,
            arguments=_arguments(run),
            result=TypeAdapter(typing.get_type_hints(run, include_extras=True).get("return", Any)),
            module=run.__module__,
            labels=frozenset(labels),
        )
        registry.add("skill", declared.name, declared)
        return declared

    return declare


def _arguments(run: Callable[..., Any]) -> type[BaseModel]:
    """A model of the parameters after `ctx`; extra arguments are refused."""
    hints = typing.get_type_hints(run, include_extras=True)
    parameters = list(inspect.signature(run).parameters.values())
    if not parameters or parameters[0].name != "ctx":
        raise SkillDeclarationError(f"the first parameter of {run.__qualname__} must be `ctx`")
    fields: dict[str, Any] = {}
    for parameter in parameters[1:]:
        if parameter.name not in hints:
            raise SkillDeclarationError(
                f"parameter {parameter.name!r} of {run.__qualname__} has no type; add one"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return pydantic.create_model(
        run.__name__, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **fields
    )


def _problems(error: pydantic.ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False)
    )
