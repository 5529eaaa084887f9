"""Where a branch of a local repository points, and what is behind it.

A ref is read from its file: no process is started. Whether it contains a commit is asked of git in
a repository of our own that borrows the other's objects, so that nothing the other one configures,
replaces or grafts is looked at, and none of its hooks can run.
"""

import re
import tempfile
from pathlib import Path

from autonomy.sdk.evidence import Check, Verdict, check, undecided
from autonomy.verification.command import NoAnswer, answered

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"refs(?:/(?!\.)[A-Za-z0-9._+@=-]+(?<!\.lock)(?<!\.))+")
_MOST_LINKS = 5
_MOST_PACKED_BYTES = 64_000_000
_SHA1_DIGITS = 40
_GIT_SECONDS = 30.0
_SAID = 300
_CONFIG = "[core]\n\trepositoryformatversion = {version}\n\tbare = true\n\tcommitGraph = false\n"
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


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
    looked_at, expected = f"{ref} of {git_dir}", commit or "absent"
    if (git_dir / "reftable").exists():
        return undecided(looked_at, expected=expected, why="its refs are not kept in files")
    try:
        seen = commit_of(git_dir, ref)
    except (NoSuchRepository, BadRefName) as error:
        return check(looked_at, expected=expected, seen=str(error))
    except OSError as error:
        return undecided(looked_at, expected=expected, why=error)
    return _found(check(looked_at, expected=expected, seen=seen or "absent"), seen)


def ref_contains(git_dir: Path, ref: str, commit: str) -> Check:
    """The commit is the ref's own, or one of those before it."""
    looked_at, expected = f"{ref} of {git_dir}", f"{commit} or a commit after it"
    if not _COMMIT.fullmatch(commit):
        return undecided(looked_at, expected=expected, why=f"{commit!r} is no full commit id")
    told = ref_is(git_dir, ref, commit).model_copy(update={"expected": expected})
    tip = told.found.get("commit", commit)
    if tip == commit:  # or there is no such ref, or nobody can tell
        return told
    try:
        behind = is_behind(git_dir, commit, tip)
    except (NoAnswer, OSError) as error:
        return undecided(looked_at, expected=expected, why=error)
    seen = f"{tip}, which is {'after' if behind else 'not after'} it"
    verdict = Verdict.VERIFIED if behind else Verdict.REFUTED
    return told.model_copy(update={"seen": seen, "verdict": verdict})


def is_behind(git_dir: Path, commit: str, tip: str) -> bool:
    """Whether the commit is an ancestor of the other; raises NoAnswer or OSError."""
    with tempfile.TemporaryDirectory(prefix="look-") as name:
        _borrow(Path(name), git_dir / "objects", sha256=len(tip) > _SHA1_DIGITS)
        if _git(name, "cat-file", "-e", commit) != 0:
            if _is_cut_off(git_dir):
                raise NoAnswer("its history is cut off here")
            return False
        return _git(name, "merge-base", "--is-ancestor", commit, tip) == 0


def _borrow(own: Path, objects: Path, *, sha256: bool) -> None:
    """Make a repository that has nothing but the objects of another one."""
    real = str(objects.resolve(strict=True))
    if "\n" in real:
        raise NoAnswer("the path of the repository cannot be written down")
    (own / "refs").mkdir()
    (own / "objects" / "info").mkdir(parents=True)
    (own / "objects" / "info" / "alternates").write_text(f"{real}\n")
    (own / "HEAD").write_text("ref: refs/heads/none\n")
    (own / "config").write_text(_CONFIG.format(version=int(sha256)) + (_SHA256 if sha256 else ""))


def _git(git_dir: str, *words: str) -> int:
    """What git answers: 0 for yes, 1 for no; raises NoAnswer or OSError."""
    argv = ["git", f"--git-dir={git_dir}", *words]
    answer = answered(argv, timeout=_GIT_SECONDS, env=_ENVIRONMENT)
    if answer.code not in (0, 1):
        raise NoAnswer(answer.output.decode("utf-8", "replace").strip()[-_SAID:])
    return answer.code


def _is_cut_off(git_dir: Path) -> bool:
    """Whether parts of the history are elsewhere: the clone is shallow or partial."""
    return (git_dir / "shallow").exists() or any((git_dir / "objects/pack").glob("*.promisor"))


def _found(told: Check, commit: str | None) -> Check:
    return told.model_copy(update={"found": {"commit": commit}}) if commit else told


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
