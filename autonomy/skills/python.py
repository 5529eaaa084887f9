"""`python.run`: a snippet that somebody wrote for one task, after a person has read it (C-18).

It finds its arguments in `args`, may leave files in the folder `artifacts`, and what it assigns to
`result` is the result. It runs in a Python of its own: nothing of the session can be reached by it.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from autonomy.sdk import Context, Evidence, Plan, VerifierContext, skill
from autonomy.sdk.errors import Permanent
from autonomy.skills.expectations import NOTHING, Ended, Expectation, evidence_of
from autonomy.skills.running import ended, lines_of, refuse_failure
from autonomy.verification.files import open_file

Source = Annotated[str, Field(min_length=1, max_length=100_000)]

_LARGEST_RESULT = 900_000
_AROUND = """
import json, sys
source, given, result, artifacts = sys.argv[1:]
with open(source) as file:
    code = compile(file.read(), "snippet", "exec")
with open(given) as file:
    names = {"__name__": "__main__", "args": json.load(file), "artifacts": artifacts}
exec(code, names)
with open(result, "w") as file:
    json.dump(names.get("result"), file, allow_nan=False)
"""


@skill(
    name="python.run", owner="autonomy", tier=3, foreign_code=True, retries=0, estimate="10s",
    timeout="10m", memory="1GB", disk="1GB", output="10MB", processes=64,
)  # fmt: skip
def run(
    ctx: Context,
    source: Source,
    args: dict[str, Any] = {},  # noqa: B006 -- pydantic copies it
    expect: Expectation = NOTHING,
) -> Ended:
    """Run a Python snippet in a folder of its own, without a network and without secrets."""
    files = {name: ctx.folder / f"snippet.{name}" for name in ("py", "args", "result")}
    files["py"].write_text(source)
    files["args"].write_text(json.dumps(args))
    words = [sys.executable, "-I", "-c", _AROUND, *map(str, files.values()), str(ctx.artifacts)]
    found = ended(words, folder=ctx.folder, environment={"ARTIFACTS": str(ctx.artifacts)})
    refuse_failure(found, expect.exit)
    return found.model_copy(update={"result": _result(files["result"])})


@run.preflight
def _(ctx: Context, source: str, args: dict[str, Any], expect: Expectation) -> Plan:
    try:
        compile(source, "snippet", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Plan(go=False, summary=f"is no Python: {error}", diff=source)
    given = f"\n# --- args\n{json.dumps(args, indent=2, ensure_ascii=False)}" if args else ""
    return Plan(go=True, summary=f"runs {lines_of(source)} of Python", diff=f"{source}{given}")


@run.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Ended) -> Evidence:
    return evidence_of(ctx, args["expect"], result)


def _result(file: Path) -> Any:
    """What it assigned; nothing where it left before. Foreign code wrote the file."""
    try:
        with open_file(file) as found:
            content = found.read(_LARGEST_RESULT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Permanent(f"its result cannot be read: {error}") from None
    if len(content) > _LARGEST_RESULT:
        raise Permanent(f"its result has more than {_LARGEST_RESULT} bytes; leave a file instead")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"its result is no JSON: {error}") from None
