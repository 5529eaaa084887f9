"""What a command answers: its exit code and its words."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from autonomy.sdk.evidence import Check, Verdict

_SHOWN = 500


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
        ended = subprocess.run(  # noqa: S603 -- the verifier's author chose the command
            list(argv), cwd=cwd, env=env, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        seen, verdict = f"no end after {timeout:g} s", Verdict.INCONCLUSIVE
    except OSError as error:
        seen, verdict = str(error), Verdict.INCONCLUSIVE
    else:
        output = ended.stdout.decode("utf-8", "replace")
        seen = f"exit {ended.returncode}: {output.strip()[-_SHOWN:]}"
        good = ended.returncode == code and contains in output
        verdict = Verdict.VERIFIED if good else Verdict.REFUTED
    return Check(looked_at=looked_at, expected=expected, seen=seen, verdict=verdict)
