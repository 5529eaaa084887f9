"""The folder an installation lives in, and the lock on it."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.host.errors import AlreadyRunning, DiskFull, HomeUnusable

SYSTEM = Path("/var/lib/autonomy")
"""Where root keeps what servers and sessions under other accounts must reach."""

CHECKOUT = Path(__file__).resolve().parents[2]
SOCKET_PATH_LIMIT = 100
"""The operating system allows 107 characters, macOS 103."""

_UNUSABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR),
}
_LONGEST_SOCKET_NAME = "/.s.PGSQL.65535.lock"


@dataclass(frozen=True)
class Home:
    """Where an installation keeps its secrets, logs, state and data."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], path: Path | None = None) -> "Home":
        """The home given, or the one of AUTONOMY_HOME, or the default."""
        chosen = path or environ.get("AUTONOMY_HOME") or _default(environ)
        return cls(Path(chosen).expanduser().resolve())

    @property
    def secrets(self) -> Path:
        """Keys and passwords, readable by their owner alone."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """What the processes print."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """The lock, the state, the ports: what says how it runs."""
        return self.path / "run"

    @property
    def data(self) -> Path:
        """Where the servers keep their data: outside the home where root starts them."""
        return SYSTEM / self.digest if os.geteuid() == 0 else self.path / "data"

    @property
    def work(self) -> Path:
        """Where sessions, which may run under other accounts, have their folders."""
        return (self.data if os.geteuid() == 0 else self.path) / "work"

    @property
    def sockets(self) -> Path:
        """Where PostgreSQL puts its socket: a path short enough for one."""
        near = self.data / "socket"
        if len(f"{near}{_LONGEST_SOCKET_NAME}") < SOCKET_PATH_LIMIT:
            return near
        return Path(tempfile.gettempdir()) / f"autonomy-{os.geteuid()}-{self.digest}"

    @property
    def digest(self) -> str:
        """Tells installations on one machine apart."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    def prepare(self) -> None:
        """Make the folders, private to their owner, and make sure they can be written."""
        with explained(self.path):
            # Sessions under another account pass through the home of root to what is theirs.
            private(self.path, 0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.secrets, self.logs, self.run):
                private(folder)
            with tempfile.TemporaryFile(dir=self.run) as probe:
                probe.write(b"\0" * 4096)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home; raises AlreadyRunning where another supervisor does."""
        with explained(self.path), (self.run / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(
                    f"the platform already runs on {self.path}",
                    "look at it with `autonomy status`, or end it with `autonomy down`",
                ) from None
            yield

    def is_locked(self) -> bool:
        """Whether a supervisor holds the home."""
        try:
            with (self.run / "lock").open("a+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def forget(self) -> None:
        """Remove everything of this installation, data too."""
        for folder in (self.data, self.sockets, self.path):
            shutil.rmtree(folder, ignore_errors=not folder.exists())


def private(folder: Path, mode: int = 0o700) -> None:
    """Make a folder with that mode; one that is there keeps the mode it has."""
    try:
        folder.mkdir(parents=True, mode=0o755)
    except FileExistsError:
        return
    folder.chmod(mode)


def write_private(file: Path, shape: Any) -> None:
    """Put JSON into a file for its owner alone, at once: a reader sees the old or the new."""
    with explained(file.parent):
        fresh = file.with_name(f"{file.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        with fresh.open("w") as whole:
            whole.write(json.dumps(shape))
            whole.flush()
            os.fsync(whole.fileno())  # before it takes the other's place: power may fail in between
        fresh.replace(file)


def read_private(file: Path) -> Any:
    """The JSON that was put there; None where nothing was."""
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return None
    except PermissionError:
        raise HomeUnusable(
            f"{file} belongs to another user",
            "run the command as the user who started the platform",
        ) from None
    except ValueError:
        raise HomeUnusable(
            f"{file} is damaged", "delete it: it is written anew at the next start"
        ) from None


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the disk answers into an error with its next step."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(
                f"no room is left on the disk of {path}",
                "free some space, or set AUTONOMY_HOME to a folder on another disk",
            ) from error
        if error.errno in _UNUSABLE:
            raise HomeUnusable(
                f"{error.filename or path} cannot be used: {error.strerror}",
                "set AUTONOMY_HOME to a folder this user may write",
            ) from error
        raise


def _default(environ: Mapping[str, str]) -> Path:
    if (CHECKOUT / "manage.py").exists():
        return CHECKOUT / "var"
    if os.geteuid() == 0:
        return SYSTEM / "home"
    data = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "autonomy"
