"""Looking at a file: whether it is there, what is in it, how old it is.

A session may have left anything under the name, so that links, pipes and devices count as no file.
"""

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from io import BufferedReader, FileIO
from pathlib import Path

from autonomy.sdk.evidence import Check, Verdict, check

CLOCK_SKEW = timedelta(seconds=5)
"""How far the clock of a node may be behind the database's."""


class NotAFile(OSError):
    """There is something else than a file under the name."""


def open_file(path: Path) -> BufferedReader:
    """Open a regular file without following a link or waiting on a pipe; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(f"{path.name} is not a regular file")
    return BufferedReader(FileIO(descriptor))


def sha256_of(path: Path) -> str:
    """The hash of a regular file's bytes; raises OSError."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_is(path: Path, *, sha256: str) -> Check:
    """The file is there and holds exactly the bytes with this hash."""
    try:
        seen = sha256_of(path)
    except OSError as error:
        return missing(path, expected=f"sha256 {sha256}", error=error)
    return check(f"bytes of {path.name}", expected=f"sha256 {sha256}", seen=f"sha256 {seen}")


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
    """The check of a file that cannot be looked at."""
    return Check(
        looked_at=path.name,
        expected=expected,
        seen=error.strerror or str(error),
        verdict=Verdict.REFUTED,
    )
