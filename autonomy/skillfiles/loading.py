"""Reading the skill files of a folder, each apart from the others and from this process.

They are read in a process of their own: the reader of YAML takes 7 MB, which no session needs, and
whatever a file does to it ends there.
"""

import json
import os
import select
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autonomy.sdk import registry
from autonomy.skillfiles.building import skill_of
from autonomy.skillfiles.errors import BadSkillFile

READ_SECONDS = 8.0
_CHUNK = 1 << 16


def load(files: Sequence[Path]) -> None:
    """Declare the skills of these files; what is wrong with one is kept as its problem."""
    for path, found in zip(files, read_apart(files), strict=True):
        if "problem" in found:
            registry.current().problems[str(path)] = found["problem"]
        else:
            _declare(path, found["content"].encode(), found["document"])


def read_apart(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The content and the document of each file, or its problem."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        _tell(files, writes)
    os.close(writes)
    answer = _heard(reads, time.monotonic() + READ_SECONDS)
    os.kill(pid, signal.SIGKILL)  # it has ended, or will not
    os.waitpid(pid, 0)
    if answer is None:
        return [{"problem": f"NotRead: not read within {READ_SECONDS:g} s"} for _ in files]
    found: list[dict[str, Any]] = answer
    return found


def _declare(path: Path, content: bytes, document: Any) -> None:
    try:
        declared = skill_of(path, content, document)
    except BadSkillFile as error:  # its files were changed since they were read
        registry.current().problems[str(path)] = error.told(str(path))
        return
    beside = tuple(path.parent / name for name in document.get("files", ()))
    registry.add("skill", declared.name, declared, sources=(path, *beside))


def _tell(files: Sequence[Path], writes: int) -> None:
    """In the other process: read, and leave."""
    status = 1
    try:
        from autonomy.skillfiles.examining import examined  # noqa: PLC0415 -- only here

        with os.fdopen(writes, "wb") as told:
            told.write(json.dumps([examined(path) for path in files]).encode())
        status = 0
    finally:
        os._exit(status)


def _heard(reads: int, until: float) -> Any:
    """What was told; None where it was not told in time, or not to the end."""
    told = bytearray()
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            chunk = pipe.read(_CHUNK)
            if not chunk:
                return json.loads(told) if told else None
            told += chunk
    return None
