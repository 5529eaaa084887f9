"""The shape of a skill file: its keys, their types, and the JSON Schema for editors."""

import difflib
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from autonomy.skillfiles.errors import BadSkillFile, MissingKey, UnknownKey, WrongValue

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"
_CODES = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[1-5]xx$"}]}


class Part(BaseModel):
    """Any mapping of a skill file: what is not named here is refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


def _code(value: object) -> str:
    """`200`, or `2xx` for all that begin with a two."""
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,3}|[1-5]xx", str(value)):
        raise ValueError("write a number such as 404, or a class such as 5xx")
    return str(value)


def _or(key: str) -> Callable[[object], object]:
    """A single value stands for a mapping with this key."""
    return lambda value: value if isinstance(value, dict | BaseModel) else {key: value}


Code = Annotated[str, BeforeValidator(_code), WithJsonSchema(_CODES)]
Word = Annotated[str, Field(min_length=1)]
Amount = Annotated[
    str, WithJsonSchema({"type": "string", "examples": ["30s", "5m", "2h", "64MB", "1GiB"]})
]
Json = Any


class Argument(Part):
    """What may be given for one argument: a part of JSON Schema."""

    type: Literal["string", "integer", "number", "boolean", "array"] = "string"
    description: str = ""
    default: Json = None
    enum: list[str | int | float] | None = Field(default=None, min_length=1)
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = Field(default=None, alias="minLength", ge=0)
    max_length: int | None = Field(default=None, alias="maxLength", ge=0)
    pattern: str | None = None
    items: "ArgumentOrType | None" = None
    min_items: int | None = Field(default=None, alias="minItems", ge=0)
    max_items: int | None = Field(default=None, alias="maxItems", ge=0)


ArgumentOrType = Annotated[
    Argument, BeforeValidator(_or("type"), json_schema_input_type=Argument | str)
]
Argument.model_rebuild()


class LimitsPart(Part):
    """The hard edges of a session; crossing one ends it."""

    timeout: Amount = "5m"
    cpu: Amount | None = None
    memory: Amount = "512MB"
    disk: Amount = "512MB"
    output: Amount = "1MB"
    processes: int = Field(default=64, ge=1)
    open_files: int = Field(default=256, ge=1)


class RetriesPart(Part):
    """How often, and how far apart, a failed attempt is repeated."""

    times: int = Field(default=2, ge=0, le=99)
    backoff: Amount = "2s"
    on_exhausted: Literal["fail", "hold"] = "fail"


class ScopePart(Part):
    """What it may touch outside of its own folder."""

    read: list[Word] = []
    write: list[Word] = []
    network: bool = False
    hosts: list[Word] = []


class Http(Part):
    """One request. Values of arguments are encoded for the place they stand in."""

    url: Word
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    query: dict[Word, Json] = {}
    headers: dict[Word, str] = {}
    json_body: Json = Field(default=None, alias="json")
    form: dict[Word, Json] | None = None
    text: str | None = None
    timeout: Amount = "30s"
    most: Amount = "1MB"
    redirects: int = Field(default=0, ge=0, le=5)
    idempotency_header: Word | None = None
    local: bool = False


class HttpCheck(Part):
    """GET answers with this status, these words, and JSON with these fields."""

    url: Word
    query: dict[Word, Json] = {}
    headers: dict[Word, str] = {}
    status: int = Field(default=200, ge=100, le=599)
    contains: str = ""
    fields: dict[Word, Json] = Field(default={}, alias="json")
    local: bool = False
    timeout: Amount = "10s"


class Eventually(Part):
    """A check of what has some time left to become so."""

    within: Amount
    of: dict[Word, Json]


class Result(Part):
    """What comes of it, and which answers mean which failure."""

    format: Literal["text", "json", "nothing"] = Field(default="text", alias="as")
    schema_: dict[str, Json] | None = Field(default=None, alias="schema")
    ok: list[Code] | None = Field(default=None, min_length=1)
    transient: list[Code] = []
    permanent: list[Code] = []


class Preflight(Part):
    """What would change, told by a command or a request that changes nothing."""

    run: list[Word] | None = Field(default=None, min_length=1)
    shell: Word | None = None
    http: "Http | None" = None
    stdin: str | None = None
    go: list[Code] | None = Field(default=None, min_length=1)
    summary: str | None = None


class SkillFile(Part):
    """A skill in YAML. Exactly one of `run`, `shell` and `http` says what it does."""

    name: Word
    description: Word
    tier: Literal[1, 2, 3] = 3
    owner: str = ""
    arguments: dict[Word, ArgumentOrType] = {}
    run: list[Word] | None = Field(default=None, min_length=1)
    shell: Word | None = None
    http: Http | None = None
    stdin: str | None = None
    files: list[Word] = []
    once: bool | None = None
    result: Annotated[Result, BeforeValidator(_or("as"), json_schema_input_type=Result | str)] = (
        Result()
    )
    preflight: Preflight | None = None
    reads: list[Word] = []
    verify: list[dict[Word, Json]] = []
    verify_within: Amount = "2m"
    on_ambiguous: Literal["hold", "verify"] = "hold"
    scope: ScopePart = ScopePart()
    limits: LimitsPart = LimitsPart()
    retries: Annotated[
        RetriesPart, BeforeValidator(_or("times"), json_schema_input_type=RetriesPart | int)
    ] = RetriesPart()
    estimate: Amount = "10s"
    isolation: Literal["process", "files", "network", "syscalls"] | None = None
    labels: list[Word] = []
    critical: bool = False


P = TypeVar("P", bound=Part)
_KEYS = {
    field.alias or name
    for part in Part.__subclasses__()
    for name, field in part.model_fields.items()
}


def parsed(kind: type[P], value: object, at: tuple[str | int, ...] = ()) -> P:
    """The part that a value of a file is; raises BadSkillFile for the first thing wrong with it."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _problem(error.errors(include_url=False)[0], at) from None


def _problem(found: ErrorDetails, at: tuple[str | int, ...]) -> BadSkillFile:
    path, key = (*at, *found["loc"]), str(found["loc"][-1]) if found["loc"] else ""
    match found["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(key, sorted(_KEYS), n=1)
            meant = f"; did you mean {near[0]!r}?" if near else "; remove it"
            return UnknownKey(f"there is no key {key!r} here{meant}", at=path)
        case "missing":
            return MissingKey(f"{key!r} is missing; add it", at=path[:-1])
        case "string_type":
            return WrongValue(f"{key!r} is a text; {_quoted(found['input'])}", at=path)
    return WrongValue(f"{key!r}: {found['msg'].removeprefix('Value error, ')}", at=path)


def _quoted(value: object) -> str:
    """How what is there would be written as a text."""
    if isinstance(value, dict) and len(value) == 1 and None in value.values():
        [name] = value
        return f'write "{{{name}}}" in quotes, because braces mean something in YAML'
    return "write it in quotes" if not isinstance(value, dict | list) else "write one"


def schema() -> dict[str, Any]:
    """The JSON Schema of a skill file."""
    return {
        "$schema": SCHEMA_ID,
        **SkillFile.model_json_schema(mode="validation"),
        "title": "A skill of Autonomy",
    }
