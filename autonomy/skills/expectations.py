"""What whoever asks for code to be run expects of it, and how that is looked at afterwards.

What the code prints, and how it exits, are its own words: they can refute and never prove (P3).
Only a file whose bytes or words were known before does.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autonomy.sdk.context import VerifierContext
from autonomy.sdk.evidence import Check, Evidence, Verdict, check
from autonomy.verification import file_is, file_is_fresh
from autonomy.verification.files import open_file

MOST_READ = 10_000_000
_SHA256 = "^[0-9a-f]{64}$"


class FileExpected(BaseModel):
    """A file among its artifacts, with these bytes or these words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200)
    sha256: str | None = Field(default=None, pattern=_SHA256)
    contains: str | None = Field(default=None, min_length=1, max_length=10_000)

    @model_validator(mode="after")
    def _says_something(self) -> "FileExpected":
        if not self.sha256 and not self.contains:
            raise ValueError("say its sha256, or what it contains")
        return self


class Expectation(BaseModel):
    """What is looked at when the code has ended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exit: int = Field(default=0, ge=0, le=255)
    output: str | None = Field(default=None, min_length=1, max_length=10_000)
    files: tuple[FileExpected, ...] = Field(default=(), max_length=50)


NOTHING = Expectation()
"""What is expected where nothing is said: that it exits with 0."""


class Ended(BaseModel):
    """How the code ended, by its own words."""

    exit: int
    tail: str
    """The end of what it printed."""
    truncated: bool
    result: Any = None


def evidence_of(ctx: VerifierContext, expected: Expectation, ended: Ended) -> Evidence:
    """Refuted by anything that is not so; verified only by a file that is."""
    said = [check("exit code", expected=expected.exit, seen=ended.exit)]
    if expected.output is not None:
        said.append(_has("its output", expected.output, ended.tail))
    files = [one for file in expected.files for one in _looked(ctx, file)]
    evidence = Evidence.of(*said, *files)
    if files or evidence.verdict is Verdict.REFUTED:
        return evidence
    return evidence.model_copy(update={"verdict": Verdict.UNVERIFIED})


def _looked(ctx: VerifierContext, expected: FileExpected) -> list[Check]:
    path = ctx.artifacts.get(expected.name, ctx.artifacts_folder / "not left")
    checks = [file_is_fresh(path, since=ctx.started_at)]
    if expected.sha256:
        checks.append(file_is(path, sha256=expected.sha256))
    if expected.contains:
        checks.append(_contains(path, expected.name, expected.contains))
    return checks


def _contains(path: Path, name: str, words: str) -> Check:
    try:
        with open_file(path) as file:
            text = file.read(MOST_READ).decode("utf-8", "replace")
    except OSError as error:
        return check(name, expected=repr(words), seen=error.strerror or str(error))
    return _has(name, words, text)


def _has(looked_at: str, words: str, text: str) -> Check:
    found = words in text
    return Check(
        looked_at=looked_at,
        expected=repr(words),
        seen=repr(words) if found else f"{text[-300:]!r}",
        verdict=Verdict.VERIFIED if found else Verdict.REFUTED,
    )
