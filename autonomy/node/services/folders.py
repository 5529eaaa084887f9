"""The private folder of a session: made before it, gone after its evidence was looked at (C-17)."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from autonomy.sessions import folders as removing

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Folders:
    """Where one session lives: `work` is its own, `artifacts` is kept, `inputs` is given."""

    root: Path

    @classmethod
    def make(cls, sessions: Path, session_id: UUID, uid: int | None) -> "Folders":
        """Fresh folders, owned by the user the session runs as."""
        folders = cls(sessions / str(session_id))
        _made(sessions, 0o711)
        _made(folders.root, 0o711)
        _made(folders.inputs, 0o755)
        for folder in (folders.work, folders.artifacts):
            _made(folder, 0o700)
            if uid is not None:
                os.chown(folder, uid, uid)
        return folders

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

    def remove(self) -> None:
        """Remove everything; what something still holds on to is left to the next sweep."""
        try:
            removing.remove(self.root)
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
