"""Running code in a process of its own inside a session, and keeping the end of what it prints."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from autonomy.sdk.errors import Permanent
from autonomy.skills.expectations import Ended

_CHUNK = 65_536
_TAIL = 8_000


def ended(
    words: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str = ""
) -> Ended:
    """Run it to its end; what it prints is passed on. Below zero is the signal that killed it."""
    given = folder / "stdin"
    given.write_text(stdin)
    with given.open("rb") as source:
        process = subprocess.Popen(  # noqa: S603 -- a person has read and approved it
            list(words),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    given.unlink()
    tail, total = _followed(process)
    text = tail.decode("utf-8", "replace")
    return Ended(exit=process.wait(), tail=text, truncated=total > len(tail))


def refuse_failure(found: Ended, expected: int) -> None:
    """Raise Permanent for another exit code than the one that was expected."""
    if found.exit != expected:
        raise Permanent(f"it exited with {found.exit}, not {expected}: {found.tail.strip()}")


def _followed(process: "subprocess.Popen[bytes]") -> tuple[bytes, int]:
    tail, total = b"", 0
    if process.stdout is None:
        return tail, total
    with process.stdout as stream:
        while chunk := os.read(stream.fileno(), _CHUNK):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            tail = (tail + chunk)[-_TAIL:]
            total += len(chunk)
    return tail, total


def lines_of(text: str) -> str:
    """How long it is: `1 line`, `12 lines`."""
    count = len(text.splitlines())
    return f"{count} line{'' if count == 1 else 's'}"
