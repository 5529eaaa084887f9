"""What a function says of itself is its schema; what cannot be one is refused with the way out."""

import enum
import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, Field, StringConstraints

from autonomy.sdk import Context, Scope, Skill, registry, skill
from autonomy.sdk.errors import SkillDeclarationError
from autonomy.sdk.skill import BadArguments

if TYPE_CHECKING:
    from fractions import Fraction


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


class Size(BaseModel):
    width: int
    height: int = Field(default=1, ge=1)


def declared(run: Callable[..., Any], **more: Any) -> Skill:
    return skill(name="x.y", tier=1, **more)(run)


def test_the_constraints_of_a_type_are_part_of_the_schema() -> None:
    def take(ctx: Context, name: Annotated[str, StringConstraints(pattern="^[a-z]+$")]) -> None:
        """Take a name."""

    it = declared(take)

    assert it.declaration()["arguments"]["properties"]["name"]["pattern"] == "^[a-z]+$"
    with pytest.raises(BadArguments, match="name: String should match"):
        it.checked({"name": "--force"})
    with pytest.raises(BadArguments, match="name: String should match"):
        it.values({"name": "--force"})


def test_arguments_come_as_the_types_that_were_declared_and_are_kept_as_json() -> None:
    def take(
        ctx: Context,
        mode: Mode,
        day: date,
        place: Path,
        size: Size,
        tags: set[str],
        count: int | None = None,
        either: int | str = "all",
        few: Annotated[int, Field(ge=1, le=3)] = 2,
    ) -> None:
        """Take everything."""

    given = {
        "mode": "fast", "day": "2026-02-03", "place": "/srv/a", "size": {"width": 4}, "tags": ["a"],
    }  # fmt: skip

    values = declared(take).values(given)

    assert values == {
        "mode": Mode.FAST,
        "day": date(2026, 2, 3),
        "place": Path("/srv/a"),
        "size": Size(width=4),
        "tags": {"a"},
        "count": None,
        "either": "all",
        "few": 2,
    }
    assert declared(take).checked(given) == {
        **given, "size": {"width": 4, "height": 1}, "count": None, "either": "all", "few": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"mode": "faster"}, "mode"),
        ({"mode": "fast", "size": {"width": "wide"}}, "size.width"),
        ({"mode": "fast", "size": {"width": 1, "height": 0}}, "size.height"),
        ({"mode": "fast", "speed": 1}, "speed"),
        ({}, "mode"),
        ({"mode": "fast", "share": float("nan")}, "share"),
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(wrong: dict[str, Any], field: str) -> None:
    def take(ctx: Context, mode: Mode, size: Size | None = None, share: float = 1) -> None: ...

    with pytest.raises(BadArguments, match=rf"^{field}: "):
        declared(take).checked(wrong)


def test_a_result_is_read_by_its_type_or_taken_as_it_is() -> None:
    def sized(ctx: Context) -> Size: ...  # type: ignore[empty-body]
    def untold(ctx: Context): ...  # type: ignore[no-untyped-def]

    assert declared(sized).result.validate_python({"width": 2}) == Size(width=2)
    assert declared(untold).result.validate_python({"any": [1]}) == {"any": [1]}


def test_a_type_that_is_known_where_the_skill_is_declared_may_be_written_as_text() -> None:
    class Local(BaseModel):
        x: int

    @skill(name="x.y", tier=1)
    def take(ctx: "Context", it: "Local") -> "Local":
        return it

    assert take.values({"it": {"x": 1}}) == {"it": Local(x=1)}


def _variadic(ctx: Context, *paths: str) -> None: ...
def _keywords(ctx: Context, **more: str) -> None: ...
def _by_position(ctx: Context, path: str, /) -> None: ...
def _without_type(ctx: Context, path) -> None: ...  # type: ignore[no-untyped-def]
def _without_ctx(path: str) -> None: ...
def _forward(ctx: Context, share: "Fraction") -> None: ...
def _forward_result(ctx: Context) -> "Fraction": ...  # type: ignore[empty-body]
def _a_socket(ctx: Context, peer: socket.socket) -> None: ...
def _gives_a_socket(ctx: Context) -> socket.socket: ...  # type: ignore[empty-body]
def _a_function(ctx: Context, act: Callable[[], int]) -> None: ...
def _bad_default(ctx: Context, count: int = "many") -> None: ...  # type: ignore[assignment]
def _low_default(ctx: Context, count: Annotated[int, Field(ge=3)] = 1) -> None: ...
def _odd_default(ctx: Context, what: Any = socket.socket) -> None: ...
def _private(ctx: Context, _path: str) -> None: ...
def _reserved(ctx: Context, model_config: str) -> None: ...
async def _async(ctx: Context) -> None: ...
def _yields(ctx: Context) -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (_variadic, "takes *paths; give every argument a name and a type"),
        (_keywords, "takes **more; give every argument a name and a type"),
        (_by_position, "takes path by position only; remove the /"),
        (_without_type, "parameter 'path' of _without_type has no type; add one"),
        (_without_ctx, "the first parameter of _without_ctx must be `ctx`"),
        (_forward, "'Fraction'; define or import it above the skill"),
        (_forward_result, "'Fraction'; define or import it above the skill"),
        (_a_socket, "parameter 'peer' of _a_socket cannot be socket: use what JSON can hold"),
        (_gives_a_socket, "the result of _gives_a_socket cannot be socket: use what JSON"),
        (_a_function, "the parameters of _a_function cannot be written as JSON"),
        (_bad_default, "the default of 'count' of _bad_default does not fit its type"),
        (_low_default, "the default of 'count' of _low_default does not fit its type"),
        (_odd_default, "the parameters of _odd_default cannot be written as JSON"),
        (_private, "'_path' of _private cannot be called so"),
        (_reserved, "'model_config' of _reserved cannot be called so"),
        (_async, "_async is async; a skill is a plain function"),
        (_yields, "_yields is a generator; a skill is a plain function"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_signature_that_can_be_no_schema_is_refused_with_what_to_change(
    run: Callable[..., Any], why: str
) -> None:
    with pytest.raises(SkillDeclarationError) as raised:
        declared(run)

    assert why in str(raised.value)
    assert registry.current().components == {}


def test_names_of_pydantic_may_be_used_for_arguments() -> None:
    def take(ctx: Context, copy: int, json: str = "", schema: bool = True) -> None: ...

    assert declared(take).values({"copy": 1}) == {"copy": 1, "json": "", "schema": True}


def act(ctx: Context, path: str = "/srv") -> None:
    """Act."""


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"tier": 4}, "tier of x.y is 4; use 1, 2 or 3"),
        ({"tier": "1"}, "tier of x.y is '1'; use 1, 2 or 3"),
        ({"name": "no spaces"}, "cannot be the name of a skill"),
        ({"name": "a" * 201}, "cannot be the name of a skill"),
        ({"owner": "me\nyou"}, "the owner of x.y is one line"),
        ({"owner": "m" * 201}, "the owner of x.y is one line of at most 200"),
        ({"labels": "gpu"}, "labels are a list: write ['gpu']"),
        ({"timeout": "soon"}, "timeout of x.y: 'soon' is not a duration"),
        ({"timeout": 0}, "limits of x.y: wall_seconds: Input should be greater than 0"),
        ({"memory": "0MB"}, "limits of x.y: memory_bytes: "),
        ({"processes": 0}, "limits of x.y: processes: "),
        ({"retries": -1}, "retries of x.y: max_attempts: "),
        ({"scope": Scope(read=("{nowhere}",))}, "there is no argument 'nowhere'"),
        ({"scope": Scope(read=("inbox/**",))}, "is no absolute path"),
        ({"scope": Scope(read=("/srv/../etc",))}, "leads upwards"),
        ({"scope": Scope(write=("/srv/{path.name}",))}, "there is no argument 'path.name'"),
        ({"scope": Scope(write=("/srv/{path!r}",))}, "is no name of an argument"),
    ],
    ids=str,
)
def test_a_declaration_that_cannot_be_meant_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(SkillDeclarationError) as raised:
        skill(**{"name": "x.y", "tier": 1, **more})(act)

    assert why in str(raised.value)


def test_a_name_that_is_taken_is_a_problem_and_the_first_stays() -> None:
    first, second = declared(act), declared(act)

    assert registry.current().components["skill", "x.y"] is first is not second
    assert "declared twice in" in registry.current().problems["skill x.y"]
