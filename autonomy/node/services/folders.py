"""The private folder of a session: made before it, gone after its evidence was looked at (C-17)."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from autonomy.sessions import folders as removing
from autonomy.sessions.spares import Spares

logger = logging.getLogger(__name__)


_spares = Spares()
"""Of the one supervisor in this process."""


@dataclass(frozen=True)
class Folders:
    """Where one session lives: `work` is its own, `artifacts` is kept, `inputs` is given.

    They serve another one, under its name, where the session left them as they were.
    """

    root: Path
    uid: int | None = None

    @classmethod
    def make(cls, sessions: Path, session_id: UUID, uid: int | None) -> "Folders":
        """Fresh folders, owned by the user the session runs as."""
        folders = cls(sessions / str(session_id), uid)
        if folders.root.exists():  # what is gone on with keeps what it has
            folders._make(sessions)
            return folders
        if spare := _spares.take((sessions, uid)):
            spare[0].parent.rename(folders.root)
        else:
            folders._make(sessions)
        _spares.given(folders._all)
        return folders

    def _make(self, sessions: Path) -> None:
        _made(sessions, 0o711)
        _made(self.root, 0o711)
        for folder in self._all:
            _made(folder, 0o700)
            if self.uid is not None:
                os.chown(folder, self.uid, self.uid)

    @property
    def work(self) -> Path:
        """The session's own folder and where it starts."""
        return self.root / "work"

    @property
    def artifacts(self) -> Path:
        """Files left here are kept."""
        return self.root / "artifacts"

    @property
    def inputs(self) -> Path:
        """Artifacts of the tasks it depends on."""
        return self.root / "inputs"

    @property
    def _all(self) -> tuple[Path, Path]:
        return self.work, self.artifacts

    def remove(self) -> None:
        """Leave nothing of the session; what something still holds on to is left to a sweep."""
        if self.inputs.exists():
            _spares.lose(self._all)
        for folder in _spares.give_back((self.root.parent, self.uid), self._all)[:1]:
            _remove(folder.parent)


def _remove(root: Path) -> None:
    try:
        removing.remove(root)
    except removing.NotRemoved as error:
        logger.warning("a session's folder is left: %s", error)


def _made(folder: Path, mode: int) -> None:
    """Make a folder with exactly this mode, whatever this process's umask; above it, passable."""
    for parent in reversed(folder.parents):
        if not parent.exists():
            parent.mkdir(exist_ok=True)
            parent.chmod(0o711)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)


def sweep(sessions: Path, living: set[str]) -> None:
    """Remove folders that an earlier life of this node left behind."""
    if sessions.exists():
        for folder in sessions.iterdir():
            if folder.name not in living:
                Folders(folder).remove()
