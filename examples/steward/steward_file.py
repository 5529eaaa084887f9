"""What a repository allows its steward: `.steward.toml`, or `[tool.steward]` in pyproject.toml."""

import tomllib
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from autonomy.sdk import Permanent

NAME = ".steward.toml"


def _inside(path: str) -> str:
    if not path.isprintable() or path.startswith(("/", "-")) or ".." in path.split("/"):
        raise ValueError("name a path inside the repository: relative, without `..`")
    return path


Inside = Annotated[str, StringConstraints(min_length=1), AfterValidator(_inside)]


class BadStewardFile(Permanent):
    """The steward file says something that cannot be meant; the message names it."""


class StewardFile(BaseModel):
    """Everything a steward file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: bool = True
    """Whether any of the repository's tests may be run."""
    tests: tuple[Inside, ...] = ()
    """Only these files and folders hold tests that may be run; empty: whatever is found."""
    test_seconds: float = Field(default=240, gt=0, le=240)
    """How long all tests together may take."""
    requirements: tuple[str, ...] | None = None
    """What the tests need, where it should not be found out from the project's declarations."""
    pytest_config: bool = True
    """Whether the repository's own configuration of pytest is used."""
    fix: bool | tuple[Inside, ...] = True
    """Whether a fix may be offered, or the files and folders that one may change."""

    def may_change(self, path: str) -> bool:
        """Whether a fix may change this file: Python only, and only where it is allowed."""
        places = self.fix if isinstance(self.fix, tuple) else ("",) if self.fix else ()
        inside = any(path == place or path.startswith(_folder(place)) for place in places)
        return inside and path.endswith((".py", ".pyi"))


def read(steward_toml: str, pyproject: str) -> StewardFile:
    """What the file says, or else the table in pyproject.toml, or else the defaults."""
    source = NAME if steward_toml else "[tool.steward] in pyproject.toml"
    try:
        said = tomllib.loads(steward_toml or pyproject)
        table = said if steward_toml else said.get("tool", {}).get("steward", {})
        return StewardFile.model_validate(table)
    except tomllib.TOMLDecodeError as error:
        raise BadStewardFile(f"{NAME if steward_toml else 'pyproject.toml'}: {error}") from None
    except (ValidationError, AttributeError) as error:
        raise BadStewardFile(f"{source}: {_told(error)}") from None


def _folder(place: str) -> str:
    return f"{place.rstrip('/')}/" if place else ""


def _told(error: ValidationError | AttributeError) -> str:
    if isinstance(error, AttributeError):
        return "`tool` must be a table"
    return "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
        for item in error.errors(include_url=False)
    )
