"""`repo.metrics`: how large a commit is, and how tangled."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Permanent, Scope, VerifierContext, skill
from autonomy.sdk.evidence import check
from steward import counting
from steward.arguments import Commit, Origin
from steward.git import Entry, contents, entries, git, shown

_MOST_BYTES_OF_FILE = 2_000_000
_MOST_BYTES = 300_000_000
_NAMED = 10


class Measured(BaseModel):
    """The size and shape of a commit. Python only, where nothing else is said."""

    commit: str
    files: int
    """Of any kind; neither links nor submodules."""
    python_files: int
    lines: int
    functions: int
    median_function_lines: float
    most_function_lines: int
    mean_complexity: float
    most_complex: list[str]
    unreadable: list[str]


def _measurable(found: Sequence[Entry]) -> list[Entry]:
    chosen = [e for e in found if e.is_python and e.size <= _MOST_BYTES_OF_FILE]
    if sum(entry.size for entry in chosen) > _MOST_BYTES:
        raise Permanent(f"more than {_MOST_BYTES} bytes of Python are not counted")
    return chosen


@skill(
    name="repo.metrics", owner="steward", tier=1, timeout="3m", memory="1GB",
    estimate="5s", scope=Scope(read=("{origin}",)),
)  # fmt: skip
def metrics(ctx: Context, origin: Origin, commit: Commit) -> Measured:
    """Count files, lines and functions of a commit, and how complex they are."""
    found = [entry for entry in entries(Path(origin), commit) if entry.is_file]
    chosen = _measurable(found)
    total, functions, unreadable = 0, [], []
    for entry, content in contents(Path(origin), chosen):
        total += counting.lines(content)
        try:
            functions += [(f, shown(entry.path)) for f in counting.functions(content)]
        except counting.Unreadable as error:
            unreadable.append(f"{shown(entry.path)}: {shown(str(error))}"[:300])
    worst = sorted(functions, key=lambda f: (-f[0].complexity, f[1], f[0].row))[:_NAMED]
    lengths = [function.lines for function, _ in functions]
    ctx.say(f"{len(chosen)} Python files, {total} lines, {len(functions)} functions")
    return Measured(
        commit=commit,
        files=len(found),
        python_files=sum(entry.is_python for entry in found),
        lines=total,
        functions=len(functions),
        median_function_lines=statistics.median(lengths or [0]),
        most_function_lines=max(lengths, default=0),
        mean_complexity=round(statistics.fmean([f.complexity for f, _ in functions] or [0]), 2),
        most_complex=[f"{path}:{f.row} {shown(f.name)}: {f.complexity}"[:300] for f, path in worst],
        unreadable=unreadable[:_NAMED],
    )


@metrics.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Measured) -> Evidence:
    """Count again by other means: git's own list of files and git's own count of lines."""
    origin, commit = Path(args["origin"]), args["commit"]
    found = [entry for entry in entries(origin, commit) if entry.is_file]
    return Evidence.of(
        check("files by git ls-tree", expected=result.files, seen=len(found)),
        check(
            "Python files by git ls-tree",
            expected=result.python_files,
            seen=sum(e.is_python for e in found),
        ),
        check(
            "lines by git diff --numstat",
            expected=result.lines,
            seen=_lines(origin, commit, _measurable(found)),
        ),
    )


def _lines(origin: Path, commit: str, chosen: Sequence[Entry]) -> int:
    """The lines that would be added by making the files from nothing."""
    nothing = git(origin, "hash-object", "-t", "tree", "--stdin").decode().strip()
    counted = git(origin, "diff-tree", "-r", "--numstat", "-z", "--no-renames", "--no-ext-diff",
                  "--no-textconv", "--text", nothing, commit, timeout=120)  # fmt: skip
    wanted = {os.fsencode(entry.path) for entry in chosen}
    rows = (row.split(b"\t", 2) for row in counted.split(b"\0")[:-1])
    return sum(int(added) for added, _, path in rows if path in wanted)
