"""What a command answers: its exit code and its words."""

import hashlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autonomy.sdk.evidence import Check, Verdict, undecided

MOST_BYTES = 8_000_000
_SHOWN = 500
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said, standard error included."""

    code: int
    output: bytes


class NoAnswer(Exception):
    """The command did not end by itself, or said too much; the message says which."""


def command_answers(
    argv: Sequence[str],
    *,
    code: int = 0,
    contains: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Check:
    """The command ends with this code and has these words in its output; no shell is involved."""
    expected = f"exit {code}" + (f" and {contains!r} in the output" if contains else "")
    looked_at = " ".join(argv)[:_SHOWN]
    try:
        answer = answered(argv, cwd=cwd, env=env, timeout=timeout)
    except (NoAnswer, OSError) as error:
        return undecided(looked_at, expected=expected, why=error)
    said = answer.output.decode("utf-8", "replace")
    good = answer.code == code and contains in said
    return Check(
        looked_at=looked_at,
        expected=expected,
        seen=f"exit {answer.code}: {said.strip()[-_SHOWN:]}",
        verdict=Verdict.VERIFIED if good else Verdict.REFUTED,
        found={"sha256": hashlib.sha256(answer.output).hexdigest()},
    )


def answered(
    argv: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Run a command and all it starts for so long at most; raises NoAnswer or OSError."""
    with subprocess.Popen(  # noqa: S603 -- the verifier's author chose the command
        list(argv), cwd=cwd, env=env, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            return _watched(process, timeout)
        finally:
            _end(process)


def _watched(process: "subprocess.Popen[bytes]", timeout: float) -> Answer:
    until = time.monotonic() + timeout
    output = _output(process.stdout, until) if process.stdout else b""
    try:
        code = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"no end after {timeout:g} s") from None
    if code < 0:
        raise NoAnswer(f"it was ended by signal {-code}")
    return Answer(code, output)


def _output(pipe: IO[bytes], until: float) -> bytes:
    """All that is printed until the pipe closes or the time is up."""
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, until - time.monotonic())):
            piece = os.read(pipe.fileno(), _CHUNK)
            if not piece:
                break
            output += piece
            if len(output) > MOST_BYTES:
                raise NoAnswer(f"more than {MOST_BYTES} bytes of output")
    return bytes(output)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Leave nothing of it running, whoever holds its output."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
