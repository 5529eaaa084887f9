"""What the processes print: one bounded file each, and the terminal when asked."""

import codecs
import os
import selectors
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO

from autonomy.domain.redaction import Redactor
from console.host.telling import tell

MOST_BYTES = 5_000_000
KEPT = 2
_CHUNK = 65_536
_CLOSE_SECONDS = 5


class LogFile:
    """A file that is moved aside when it has grown too long; a few old ones are kept."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._file = self._opened()

    def write(self, text: bytes) -> None:
        """Append."""
        if self._file.tell() + len(text) > self._most_bytes:
            # Opened before the old one is closed: on a full disk there is still a file.
            before = self._file
            self._shift()
            self._file = self._opened()
            before.close()
        self._file.write(text)

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _opened(self) -> BinaryIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "ab", buffering=0)
        file.seek(0, os.SEEK_END)
        return file

    def _shift(self) -> None:
        for age in range(KEPT, 0, -1):
            older = self._path.with_suffix(f".log.{age}")
            newer = self._path.with_suffix(f".log.{age - 1}") if age > 1 else self._path
            if newer.exists():
                newer.replace(older)


class Clean:
    """What comes through one pipe, without secrets: also those that are cut across two reads."""

    def __init__(self, known: Callable[[], Redactor]) -> None:
        self._known = known
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._stream = known().stream()

    def feed(self, data: bytes) -> bytes:
        """What can be written by now; with nothing to read, the rest."""
        self._stream.redactor = self._known()
        text = self._stream.feed(self._decoder.decode(data, final=not data))
        if not data:
            text += self._stream.end()
        return text.encode(errors="surrogateescape")


class Logs:
    """Carries output from pipes to files, on a thread of its own; secrets stay behind."""

    def __init__(
        self, folder: Path, *, verbose: bool = False, known: Callable[[], Redactor] = Redactor
    ) -> None:
        self._folder = folder
        self._verbose = verbose
        self._known = known
        self._clean: dict[int, Clean] = {}
        self._lock = Lock()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._files: dict[str, LogFile] = {}
        self._thread = Thread(target=self._carry, name="logs", daemon=True)
        self._thread.start()

    def pipe(self, name: str) -> int:
        """A descriptor to print to; close it once the process that prints has it."""
        mine, theirs = os.pipe()
        with self._lock:
            if name not in self._files:
                self._files[name] = LogFile(self.path(name))
            self._clean[mine] = Clean(self._known)
            self._selector.register(mine, selectors.EVENT_READ, name)
        os.write(self._wake, b"+")
        return theirs

    def path(self, name: str) -> Path:
        """Where the output of that process goes."""
        return self._folder / f"{name}.log"

    def tail(self, name: str, lines: int = 5) -> str:
        """The last lines a process printed."""
        text = self.path(name).read_bytes()[-4000:].decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])

    def close(self) -> None:
        """Carry what has been printed so far, then stop."""
        os.close(self._wake)
        self._thread.join(_CLOSE_SECONDS)

    def _carry(self) -> None:
        open_to_more = True
        while ready := self._selector.select(None if open_to_more else 0):
            for key, _ in ready:
                text = os.read(key.fd, _CHUNK)
                if key.data is not None:
                    self._pass_on(key.fd, key.data, text)
                elif not text:
                    open_to_more = False
                    self._selector.unregister(key.fd)
                    os.close(key.fd)
        self._selector.close()
        for file in self._files.values():
            file.close()

    def _pass_on(self, pipe: int, name: str, text: bytes) -> None:
        clean = self._clean[pipe].feed(text)
        if not text:
            with self._lock:
                self._selector.unregister(pipe)
                del self._clean[pipe]
            os.close(pipe)
        if clean:
            self._write(name, clean)

    def _write(self, name: str, text: bytes) -> None:
        try:
            self._files[name].write(text)
        except OSError as error:  # the disk is full: what is printed is lost, the processes go on
            tell(f"{self.path(name)}: {error.strerror}")
        if self._verbose:
            self._show(name, text)

    def _show(self, name: str, text: bytes) -> None:
        for line in text.decode(errors="replace").splitlines():
            tell(f"{name:>9} │ {line}")
