"""Where a branch of a local repository points, read from its files: no process is started."""

import re
from pathlib import Path

from autonomy.sdk.evidence import Check, check

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"refs(?:/(?!\.)[A-Za-z0-9._+@=-]+(?<!\.lock)(?<!\.))+")
_MOST_LINKS = 5
_MOST_PACKED_BYTES = 64_000_000


class NoSuchRepository(Exception):
    """The folder holds no git repository whose refs are kept in files."""


class BadRefName(ValueError):
    """A name that is no full ref name such as `refs/heads/main`, or uses unusual characters."""


def commit_of(git_dir: Path, ref: str) -> str | None:
    """The commit a full ref name stands for, or None; raises NoSuchRepository, BadRefName."""
    if not (git_dir / "HEAD").is_file() or not (git_dir / "refs").is_dir():
        raise NoSuchRepository(f"{git_dir} holds no git repository (bare, or a .git folder)")
    for _ in range(_MOST_LINKS):
        if ".." in ref or not _NAME.fullmatch(ref):
            raise BadRefName(f"{ref!r} is no full ref name such as refs/heads/main")
        value = _loose(git_dir, ref) or _packed(git_dir, ref)
        if value is None or _COMMIT.fullmatch(value):
            return value
        ref = value.removeprefix("ref:").strip()
    raise BadRefName(f"{ref!r} points to itself")


def ref_is(git_dir: Path, ref: str, commit: str | None) -> Check:
    """The ref points to exactly this commit; None means that it does not exist."""
    try:
        seen = commit_of(git_dir, ref)
    except (NoSuchRepository, BadRefName) as error:
        return check(f"{ref} of {git_dir}", expected=commit or "absent", seen=str(error))
    return check(f"{ref} of {git_dir}", expected=commit or "absent", seen=seen or "absent")


def _loose(git_dir: Path, ref: str) -> str | None:
    try:
        return (git_dir / ref).read_text("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _packed(git_dir: Path, ref: str) -> str | None:
    try:
        with (git_dir / "packed-refs").open(encoding="utf-8", errors="replace") as lines:
            for line in lines.read(_MOST_PACKED_BYTES).splitlines():
                value, _, name = line.partition(" ")
                if name == ref:
                    return value
    except FileNotFoundError:
        return None
    return None
