"""Running a program inside a session: its output is passed on, and kept up to a limit."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autonomy.sdk.errors import Permanent

_CHUNK = 65_536


@dataclass(frozen=True)
class Ended:
    """How a program ended; below zero is the signal that killed it."""

    code: int
    text: str


def ran(
    words: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    most: int = 1_000_000,
) -> Ended:
    """Run it to its end, without a shell; raises Permanent where it cannot be run or kept."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 -- the words are the author's
                list(words),
                cwd=folder,
                env={**os.environ, **environment},
                stdin=given,
                stdout=subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            raise Permanent(f"{words[0]} cannot be run: {error}") from None
    return _followed(process, most)


def _followed(process: "subprocess.Popen[bytes]", most: int) -> Ended:
    kept = bytearray()
    if process.stdout is None:
        raise Permanent("the program has no output")
    with process.stdout as stream:
        while chunk := stream.read1(_CHUNK):  # type: ignore[attr-defined]
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            kept += chunk[: most + 1 - len(kept)]
    code = process.wait()
    if len(kept) > most:
        raise Permanent(f"it printed more than {most} bytes; leave a file in its artifacts instead")
    return Ended(code, kept.decode("utf-8", "replace"))
