"""What the steward is pointed at, and the bare copy that it works on."""

import importlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Any

from console.host.errors import DiskFull, HostError
from console.host.exits import Exit
from console.host.home import CHECKOUT, Home, explained, private
from ledger.domain.ids import new_id

SKILLS = CHECKOUT / "examples" / "steward"


class NoSteward(HostError):
    """The steward's skills are not where this was installed."""

    exit = Exit.MISSING


@dataclass(frozen=True)
class Copy:
    """A bare copy of a repository, in a folder of its own."""

    source: str
    folder: Path
    origin: Path
    branch: str
    commit: str

    @property
    def name(self) -> str:
        """By which runs are told apart."""
        return self.folder.name


def folder_of(home: Home) -> Path:
    """Where runs leave what they keep."""
    return home.path / "steward"


def copied(source: str, home: Home) -> Copy:
    """Copy the repository, or the default one; raises NoSteward, or what the steward raises."""
    if not SKILLS.is_dir():
        raise NoSteward(
            f"the steward's skills are not in {SKILLS}",
            "run it from a checkout of the project: `git clone`, then `make run`",
        )
    if str(SKILLS.parent) not in sys.path:
        sys.path.append(str(SKILLS.parent))
    steward = importlib.import_module("steward.origin")
    home.prepare()
    with explained(home.path):
        # As root, sessions run as other users: the origin lies where they can reach it.
        near = home.work.parent / "steward" if os.geteuid() == 0 else folder_of(home)
        for parent in (folder_of(home), near):
            private(parent, 0o711)
        made = _made(lambda into: steward.prepare_origin(source or steward.DEFAULT, into), near)
    return Copy(made.source, made.path.parent, made.path, made.branch, made.commit)


def _made(prepare: Callable[[Path], Any], near: Path) -> Any:
    """An origin in a fresh folder, of which nothing is left when there can be none."""
    folder = near / str(new_id())
    try:
        return prepare(folder)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        if os.strerror(ENOSPC) not in str(error):
            raise
        raise DiskFull(
            f"no room is left for a copy of the repository in {near}",
            "free some space, or set AUTONOMY_HOME to a folder on another disk",
        ) from error
