"""Moves old files of a folder into one for each month, each at most once."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from autonomy.sdk import Context, Evidence, Plan, Scope, Settled, VerifierContext, skill
from autonomy.sdk.evidence import Check, check

Folder = Annotated[Path, Field(description="An absolute path.")]
Days = Annotated[int, Field(ge=1, le=3650, description="Older than this many days.")]


class Tidied(BaseModel):
    """What was moved, by its name: where to."""

    moved: dict[str, str]


def old_files(folder: Path, days: int, now: datetime) -> Iterator[tuple[Path, Path]]:
    """Each file that has not changed for so long, and where it belongs."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if (now - changed).days >= days:
            yield path, folder / f"{changed:%Y-%m}" / path.name


@skill(
    name="folder.tidy", tier=2, owner="everyday", timeout="2m", estimate="2s",
    scope=Scope(write=("{folder}",)),
)  # fmt: skip
def tidy(ctx: Context, folder: Folder, today: datetime, days: Days = 30) -> Tidied:
    """Move the old files of a folder into folders by month."""
    moved = {}
    for path, target in old_files(folder, days, today):
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            continue
        ctx.effect(f"move {path.name}", partial(_move, path, target))
        moved[path.name] = str(target)
    return Tidied(moved=moved)


@tidy.preflight
def _(ctx: Context, folder: Path, today: datetime, days: int) -> Plan:
    moves = list(old_files(folder, days, today))
    diff = "\n".join(f"{path.name} -> {target.relative_to(folder)}" for path, target in moves)
    return Plan(go=bool(moves), summary=f"moves {len(moves)} files of {folder}", diff=diff)


@tidy.reconcile
def _(ctx: Context, step: str, args: dict[str, Path]) -> Settled:
    return Settled(happened=not (args["folder"] / step.removeprefix("move ")).exists())


@tidy.verify
def _(ctx: VerifierContext, args: dict[str, Path], result: Tidied) -> Evidence:
    return Evidence.of(*(_moved(args["folder"], name, to) for name, to in result.moved.items()))


def _moved(folder: Path, name: str, to: str) -> Check:
    there = Path(to).is_file() and not (folder / name).exists()
    return check(name, expected=f"only at {to}", seen=f"only at {to}" if there else "elsewhere")


def _move(path: Path, target: Path) -> None:
    shutil.move(path, target)
