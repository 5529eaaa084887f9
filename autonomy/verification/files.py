"""Looking at a file: whether it is there, what is in it, how old it is.

A session may have left anything under the name, so that links, pipes and devices count as no file.
What may not be read, or cannot be read by this machine, says neither yes nor no.
"""

import errno
import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from io import BufferedReader, FileIO
from pathlib import Path

from autonomy.sdk.evidence import Check, Verdict, check, undecided

CLOCK_SKEW = timedelta(seconds=5)
"""How far the clock of a node may be behind the database's."""

MOST_BYTES = 10_000_000_000
"""What is larger is not read to its end."""

_CLEARLY_NOT_THERE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}
)
_CHUNK = 1 << 20


class NotAFile(OSError):
    """There is something else than a file under the name."""


class TooLarge(OSError):
    """The file is larger than what is looked at."""


def open_file(path: Path) -> BufferedReader:
    """Open a regular file without following a link or waiting on a pipe; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(f"{path.name} is not a regular file")
    return BufferedReader(FileIO(descriptor))


def sha256_of(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """The hash of a regular file's bytes; raises OSError."""
    with open_file(path) as file:
        if (size := os.fstat(file.fileno()).st_size) > most_bytes:
            raise TooLarge(f"{path.name} has {size} bytes; {most_bytes} are looked at")
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_is(path: Path, *, sha256: str) -> Check:
    """The file is there and holds exactly the bytes with this hash."""
    expected = f"sha256 {sha256}"
    try:
        seen = sha256_of(path)
    except OSError as error:
        return missing(path, expected=expected, error=error)
    told = check(f"bytes of {path.name}", expected=expected, seen=f"sha256 {seen}")
    return told.model_copy(update={"found": {"sha256": seen}})


def file_contains(path: Path, *words: str | bytes, at_least: int = 1) -> Check:
    """The file is there, has at least so many bytes, and all these words are among them."""
    wanted = [word.encode() if isinstance(word, str) else word for word in words]
    expected = " and ".join([f"at least {at_least} bytes", *map(repr, words)])
    try:
        with open_file(path) as file:
            size, lacking, digest = _searched(file, wanted)
    except OSError as error:
        return missing(path, expected=expected, error=error)
    seen = f"{size} bytes" + (f", no {lacking[0]!r}" if lacking else "")
    return Check(
        looked_at=f"content of {path.name}",
        expected=expected,
        seen=seen,
        verdict=Verdict.REFUTED if lacking or size < at_least else Verdict.VERIFIED,
        found={"sha256": digest},
    )


def _searched(file: BufferedReader, wanted: list[bytes]) -> tuple[int, list[bytes], str]:
    """Size, words that are not in it, and hash; read in pieces that overlap by the longest word."""
    overlap = max((len(word) for word in wanted), default=1) - 1
    size, digest, tail, lacking = 0, hashlib.sha256(), b"", wanted
    while piece := file.read(_CHUNK):
        size += len(piece)
        if size > MOST_BYTES:
            raise TooLarge(f"it has more than {MOST_BYTES} bytes")
        digest.update(piece)
        window = tail + piece
        lacking = [word for word in lacking if word not in window]
        tail = window[-overlap:] if overlap else b""
    return size, lacking, digest.hexdigest()


def file_is_fresh(path: Path, *, since: datetime) -> Check:
    """The file is there and was written after `since`, give or take the skew of clocks."""
    try:
        with open_file(path) as file:
            written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError as error:
        return missing(path, expected=f"written after {since.isoformat()}", error=error)
    return is_fresh(f"age of {path.name}", written, since=since)


def is_fresh(looked_at: str, moment: datetime, *, since: datetime) -> Check:
    """The moment is not before `since`, give or take the skew of clocks."""
    return Check(
        looked_at=looked_at,
        expected=f"after {since.isoformat()}",
        seen=moment.isoformat(),
        verdict=Verdict.VERIFIED if moment >= since - CLOCK_SKEW else Verdict.REFUTED,
    )


def missing(path: Path, *, expected: str, error: OSError) -> Check:
    """The check of a file that cannot be looked at: refuted only where it is clearly not there."""
    told = undecided(path.name, expected=expected, why=error.strerror or error)
    if isinstance(error, NotAFile) or error.errno in _CLEARLY_NOT_THERE:
        return told.model_copy(update={"verdict": Verdict.REFUTED})
    return told
