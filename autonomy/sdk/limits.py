"""The hard edges of a skill, its retries and its isolation, as people write them."""

import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict

from autonomy.domain import amounts
from autonomy.domain.amounts import BadAmount, seconds, size
from autonomy.domain.isolation import FOREIGN_CODE, Rung, rung
from autonomy.sdk.errors import SkillDeclarationError

Number = typing.TypeVar("Number", int, float, Decimal)

Dollars = typing.Annotated[
    Decimal,
    pydantic.BeforeValidator(amounts.dollars),
    pydantic.PlainSerializer(str),  # JSON has no exact numbers
]
"""A sum in whole microdollars."""


class Limits(BaseModel):
    """The hard edges of a session (C-15). Seconds and bytes; crossing one ends that session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_seconds: float = pydantic.Field(default=300, gt=0)
    cpu_seconds: float = pydantic.Field(default=300, gt=0)
    memory_bytes: int = pydantic.Field(default=512_000_000, ge=1)
    disk_bytes: int = pydantic.Field(default=512_000_000, ge=1)
    output_bytes: int = pydantic.Field(default=1_000_000, ge=1)
    result_bytes: int = pydantic.Field(default=1_000_000, ge=1)
    processes: int = pydantic.Field(default=64, ge=1)
    open_files: int = pydantic.Field(default=256, ge=1)
    tokens: int = pydantic.Field(default=0, ge=0, le=10**15)
    dollars: Dollars = Decimal(0)


class Edges(typing.TypedDict, total=False):
    """The limits of a skill as people write them; `limits_of` says what is meant without one."""

    timeout: str | float
    cpu: str | float | None
    memory: str | int
    disk: str | int
    output: str | int
    processes: int
    open_files: int
    tokens: int
    dollars: str | Decimal


class Retries(BaseModel):
    """How often, and how far apart, a failed attempt is repeated (C-7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = pydantic.Field(default=3, ge=1, le=100)
    base_seconds: float = pydantic.Field(default=2.0, ge=0)
    cap_seconds: float = pydantic.Field(default=300.0, ge=0)
    on_exhausted: typing.Literal["fail", "hold"] = "fail"


def limits_of(
    name: str,
    *,
    timeout: str | float = "5m",
    cpu: str | float | None = None,
    memory: str | int = "512MB",
    disk: str | int = "512MB",
    output: str | int = "1MB",
    processes: int = 64,
    open_files: int = 256,
    tokens: int = 0,
    dollars: str | Decimal = "0",
) -> Limits:
    """The hard edges of a skill as people write them; raises SkillDeclarationError.

    Without `cpu` it may use as many processor seconds as it may take.
    """
    wall = amount(f"timeout of {name}", seconds, timeout)
    try:
        return Limits(
            wall_seconds=wall,
            cpu_seconds=wall if cpu is None else amount(f"cpu of {name}", seconds, cpu),
            memory_bytes=amount(f"memory of {name}", size, memory),
            disk_bytes=amount(f"disk of {name}", size, disk),
            output_bytes=amount(f"output of {name}", size, output),
            processes=processes,
            open_files=open_files,
            tokens=tokens,
            dollars=amount(f"dollars of {name}", amounts.dollars, dollars),
        )
    except pydantic.ValidationError as error:
        raise SkillDeclarationError(f"limits of {name}: {problems_of(error)}") from None


def retries_of(
    name: str,
    retries: int = 2,
    *,
    backoff: str | float = "2s",
    on_exhausted: typing.Literal["fail", "hold"] = "fail",
) -> Retries:
    """How often a skill is repeated; raises SkillDeclarationError."""
    base = amount(f"backoff of {name}", seconds, backoff)
    try:
        return Retries(max_attempts=retries + 1, base_seconds=base, on_exhausted=on_exhausted)
    except pydantic.ValidationError as error:
        raise SkillDeclarationError(f"retries of {name}: {problems_of(error)}") from None


def amount(what: str, read: Callable[[Any], Number], given: Any) -> Number:
    """A duration or size as a number; raises SkillDeclarationError."""
    try:
        return read(given)
    except (BadAmount, TypeError) as error:
        raise SkillDeclarationError(f"{what}: {error}") from None


def isolation_of(name: str, asked: str | None, *, foreign_code: bool = False) -> Rung:
    """The least isolation of a skill; raises SkillDeclarationError."""
    least = FOREIGN_CODE if foreign_code else Rung.PROCESS
    if asked is None:
        return least
    try:
        wanted = rung(asked)
    except ValueError as error:
        raise SkillDeclarationError(f"isolation of {name}: {error}") from None
    if wanted < least:
        raise SkillDeclarationError(
            f"isolation of {name}: foreign code needs {least.word!r}, not {asked!r}"
        )
    return wanted


def problems_of(error: pydantic.ValidationError) -> str:
    """Each field with what is wrong with it."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False)
    )
