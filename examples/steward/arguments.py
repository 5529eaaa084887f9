"""What an argument may look like, so that none can be taken for an option or leave its place."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from autonomy.verification import commit_of

Origin = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f]*\.git$", max_length=4000)]
"""The absolute path of a bare repository."""

Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")]

Branch = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+@=-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+@=-]*)*$",
        max_length=200,
    ),
]
"""A branch by its short name; `refs/heads/` is put before it."""


def head(branch: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{branch}"


def refs_of(origin: str, *branches: str) -> dict[str, str]:
    """Where branches of origin point now, by full name; what an approval is bound to."""
    return {head(b): commit_of(Path(origin), head(b)) or "absent" for b in branches}


class TestOutcome(BaseModel):
    """What a run of tests comes down to."""

    __test__ = False
    model_config = ConfigDict(frozen=True)

    green: bool
    """Some passed, none failed, and the runner was content."""
    summary: str
