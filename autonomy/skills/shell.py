"""`shell.run`: a script that somebody wrote for one task, after a person has read it (C-18)."""

import subprocess
from typing import Annotated, Any

from pydantic import Field

from autonomy.sdk import Context, Evidence, Plan, VerifierContext, skill
from autonomy.skills.expectations import NOTHING, Ended, Expectation, evidence_of
from autonomy.skills.running import ended, lines_of, refuse_failure

Script = Annotated[str, Field(min_length=1, max_length=50_000)]

_SHELL = "/bin/sh"
_CHECK_SECONDS = 10


@skill(
    name="shell.run", owner="autonomy", tier=3, foreign_code=True, retries=0, estimate="10s",
    timeout="10m", memory="1GB", disk="1GB", output="10MB", processes=64,
)  # fmt: skip
def run(ctx: Context, command: Script, stdin: str = "", expect: Expectation = NOTHING) -> Ended:
    """Run a shell script in a folder of its own, without a network and without secrets."""
    environment = {"ARTIFACTS": str(ctx.artifacts)}
    words = [_SHELL, "-c", command]
    found = ended(words, folder=ctx.folder, environment=environment, stdin=stdin)
    refuse_failure(found, expect.exit)
    return found


@run.preflight
def _(ctx: Context, command: str, stdin: str, expect: Expectation) -> Plan:
    wrong = _mistake(command)
    summary = (
        f"cannot be read as a script: {wrong}" if wrong else f"runs {lines_of(command)} of shell"
    )
    given = f"\n--- stdin\n{stdin}" if stdin else ""
    return Plan(go=not wrong, summary=summary, diff=f"{command}{given}")


@run.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Ended) -> Evidence:
    return evidence_of(ctx, args["expect"], result)


def _mistake(command: str) -> str:
    """What the shell says of a script that it cannot read; it runs nothing of it."""
    looked = subprocess.run(  # noqa: S603
        [_SHELL, "-n", "-c", command],
        capture_output=True, text=True, timeout=_CHECK_SECONDS, check=False,
    )  # fmt: skip
    return looked.stderr.strip()[-500:] if looked.returncode else ""
