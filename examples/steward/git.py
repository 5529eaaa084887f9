"""Git by argv: every command names its repository, and nothing that a repository configures is run.

Hooks, filters, file-system monitors, external diffs and transports are off, replaced objects and
the settings of the machine are not looked at. Skills use the object store of `origin` directly, so
that no clone, and no other process of git's, decides anything.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autonomy.sdk import Permanent

MOST_FILES = 200_000
_BATCH_FILES = 500
_BATCH_BYTES = 32_000_000
_SAID = 600

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.quotePath=true",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "commit.gpgSign=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",  # a session may run as another user than the owner of `origin`
)
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_ALLOW_PROTOCOL": "",  # none: `steward.origin` alone has reason to talk to others
    "HOME": "/nonexistent",
    "LC_ALL": "C",
}


class GitFailed(Permanent):
    """A git command ended with an error; the message holds its last words."""


@dataclass(frozen=True)
class Entry:
    """A file of a commit as git keeps it."""

    path: str
    mode: str
    id: str
    size: int

    @property
    def is_file(self) -> bool:
        """Neither a link nor a submodule."""
        return self.mode in ("100644", "100755")

    @property
    def is_python(self) -> bool:
        """A file that holds Python by its name."""
        return self.is_file and self.path.endswith((".py", ".pyi"))


def git(
    git_dir: Path,
    *args: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60,
) -> bytes:
    """What a git command answers; raises GitFailed."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        ended = subprocess.run(  # noqa: S603 -- a list of words, never a shell
            [_git(), *settings, *args],
            input=stdin, capture_output=True, timeout=timeout, check=False, cwd=cwd or "/",
            env={**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath),
                 "GIT_DIR": str(git_dir), **(env or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {args[0]} did not end within {timeout:g} s") from None
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip()[-_SAID:]
        raise GitFailed(f"git {args[0]} failed: {said or f'exit {ended.returncode}'}")
    return ended.stdout


def _git() -> str:
    found = shutil.which("git")
    if not found:
        raise GitFailed("git is not installed here; install it (Debian: apt-get install git)")
    return found


def line(git_dir: Path, *args: str) -> str:
    """The one line a git command answers."""
    return git(git_dir, *args).decode("utf-8", "replace").strip()


def commit_id(git_dir: Path, revision: str) -> str:
    """The full id of a commit; raises GitFailed when there is none."""
    return line(git_dir, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def parents(git_dir: Path, commit: str) -> list[str]:
    """The ids of the commits that this one follows."""
    return line(git_dir, "rev-list", "--parents", "-n1", commit).split()[1:]


def entries(git_dir: Path, commit: str) -> list[Entry]:
    """Every file of a commit; raises GitFailed when there are too many to be looked after."""
    listed = git(git_dir, "ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0")[:-1]
    if len(listed) > MOST_FILES:
        raise GitFailed(f"{len(listed)} files are more than the {MOST_FILES} a steward looks after")
    return [_entry(item) for item in listed]


def _entry(item: bytes) -> Entry:
    about, _, path = item.partition(b"\t")
    mode, _, blob, size = about.decode().split()
    return Entry(os.fsdecode(path), mode, blob, 0 if size == "-" else int(size))


def contents(git_dir: Path, files: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """The bytes of files, a batch at a time, straight from the object store."""
    batch: list[Entry] = []
    for entry in files:
        batch.append(entry)
        if len(batch) == _BATCH_FILES or sum(e.size for e in batch) > _BATCH_BYTES:
            yield from _read(git_dir, batch)
            batch = []
    yield from _read(git_dir, batch)


def _read(git_dir: Path, batch: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
    if not batch:
        return
    ids = "".join(f"{entry.id}\n" for entry in batch).encode()
    answer = memoryview(git(git_dir, "cat-file", "--batch", stdin=ids))
    at = 0
    for entry in batch:
        at += len(f"{entry.id} blob {entry.size}\n")
        yield entry, bytes(answer[at : at + entry.size])
        at += entry.size + 1


def shown(text: str) -> str:
    """A name from a repository as it can be printed and kept: nothing in it is obeyed."""
    visible = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in visible)
