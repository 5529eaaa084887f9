"""A checkout of one commit in a private folder; what is new stays there until it is handed over."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from steward.git import Entry, GitFailed, entries, git, line

MOST_BYTES = 400_000_000
_IDENTITY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Autonomy steward"), ("EMAIL", "steward@autonomy.invalid"))
}


@dataclass(frozen=True)
class Change:
    """What a workspace holds that its commit does not."""

    tree: str
    paths: tuple[str, ...]
    lines: int
    diff: str


@dataclass(frozen=True)
class Workspace:
    """A folder with the files of `commit`, an index and an object store of its own."""

    origin: Path
    commit: str
    folder: Path

    @property
    def tree(self) -> Path:
        """Where the files are."""
        return self.folder / "tree"

    def git(self, *args: str, stdin: bytes = b"", **env: str) -> bytes:
        """A git command on this checkout; objects it makes stay in the workspace."""
        quoted = str(self.origin / "objects").replace("\\", "\\\\").replace('"', '\\"')
        settings = {
            "GIT_WORK_TREE": str(self.tree),
            "GIT_INDEX_FILE": str(self.folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(self.folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"',
        }
        return git(self.origin, *args, stdin=stdin, env={**settings, **env}, cwd=self.tree)

    def change(self) -> Change:
        """Stage what was altered in tracked files, and say what it is."""
        altered = self.git("diff-files", "--name-only", "-z", "--diff-filter=M")
        self.git("update-index", "-z", "--stdin", stdin=altered)
        tree = self.git("write-tree").decode().strip()
        between = (
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
            self.commit,
            tree,
        )
        counts = self.git("diff", "--numstat", "-z", *between).split(b"\0")[:-1]
        return Change(
            tree=tree,
            paths=tuple(os.fsdecode(item.split(b"\t", 2)[2]) for item in counts),
            lines=sum(_lines(item) for item in counts),
            diff=self.git("diff", "--unified=3", *between).decode("utf-8", "backslashreplace"),
        )

    def commit_change(self, change: Change, message: str) -> str:
        """A commit of the change on the workspace's own; the same change gives the same id."""
        at = f"@{int(line(self.origin, 'log', '-1', '--format=%ct', self.commit)) + 1} +0000"
        made = self.git(
            "commit-tree", change.tree, "-p", self.commit, stdin=message.encode(),
            GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at, **_IDENTITY,
        )  # fmt: skip
        return made.decode().strip()

    def hand_over(self, commit: str, branch: str) -> None:
        """Put the commit into origin as a new branch; raises GitFailed if there is one already."""
        wanted = f"{commit}\n^{self.commit}\n".encode()
        pack = self.git("pack-objects", "--revs", "--stdout", "-q", stdin=wanted)
        git(self.origin, "unpack-objects", "-q", stdin=pack)
        git(self.origin, "update-ref", f"refs/heads/{branch}", commit, "")


def check_out(origin: Path, commit: str, folder: Path, *, links: bool = False) -> Workspace:
    """The files of a commit; links only where asked for, and only those that stay inside."""
    workspace = Workspace(origin, commit, folder)
    for part in ("tree", "objects/info", "objects/pack"):
        (folder / part).mkdir(parents=True)
    wanted = _wanted(entries(origin, commit), links=links)
    workspace.git("read-tree", commit)
    names = b"".join(os.fsencode(entry.path) + b"\0" for entry in wanted)
    workspace.git("checkout-index", "-q", "-u", "-z", "--stdin", stdin=names)
    return workspace


def _wanted(found: Iterable[Entry], *, links: bool) -> list[Entry]:
    files = [entry for entry in found if entry.is_file or (links and entry.mode == "120000")]
    if sum(entry.size for entry in files) > MOST_BYTES:
        raise GitFailed(f"the files are larger than {MOST_BYTES} bytes together")
    return files


def drop_links_out(tree: Path) -> list[str]:
    """Remove links that lead out of the tree; returns their names."""
    dropped = []
    for folder, folders, files in os.walk(tree):
        for path in (Path(folder, name) for name in (*folders, *files)):
            if path.is_symlink() and not path.resolve().is_relative_to(tree.resolve()):
                path.unlink()
                dropped.append(path.relative_to(tree).as_posix())
    return dropped


def _lines(count: bytes) -> int:
    added, removed, _ = count.split(b"\t", 2)
    return 1 if added == b"-" else int(added) + int(removed)
