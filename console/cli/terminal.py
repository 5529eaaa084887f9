"""What is printed: tables for people, JSON for programs, and never a raw byte from outside."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.domain.visible import visible

Json = Annotated[bool, typer.Option("--json", help="Print JSON of a documented shape.")]

_PIPE_WIDTH = 160
_STYLES = {
    "done": "green",
    "verified": "green",
    "approved": "green",
    "running": "cyan",
    "verifying": "cyan",
    "preflight": "cyan",
    "dispatched": "cyan",
    "held": "yellow",
    "pending": "yellow",
    "inconclusive": "yellow",
    "failed": "red",
    "refuted": "red",
    "rejected": "red",
    "expired": "red",
    "cancelled": "dim",
    "blocked": "dim",
}
_TEXT = {"what", "why", "evidence", "what was seen"}
"""Columns that give way where it is narrow; the others stay on one line as long as they can."""

_WIDTHS = {"id": 8, "state": 12, "verdict": 12, "node": 4, "#seconds": 7}
"""Columns that change while they are watched keep their place."""

_MARKS = {"done": "✔", "failed": "✘", "held": "◆", "rejected": "✘", "expired": "✘", "running": "▶"}


def console(*, errors: bool = False) -> Console:
    """The terminal; wide where nobody looks, so that a pipe gets whole lines."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def print_json(shape: Any) -> None:
    """One JSON document; anything that is not plain ASCII is escaped."""
    sys.stdout.write(json.dumps(plain(shape), indent=2) + "\n")


def plain(shape: Any) -> Any:
    """A shape as JSON values: moments in ISO 8601, ids as text."""
    if is_dataclass(shape) and not isinstance(shape, type):
        return plain(asdict(shape))
    if isinstance(shape, dict):
        return {str(key): plain(value) for key, value in shape.items()}
    if isinstance(shape, list | tuple | set | frozenset):
        return [plain(item) for item in shape]
    if isinstance(shape, datetime):
        return shape.isoformat()
    if shape is None or isinstance(shape, bool | int | float | str):
        return shape
    return str(shape)


def autonomy() -> str:
    """The command as it can be typed here: `make run` starts one that is not on the PATH."""
    here = Path(sys.argv[0]).name == "autonomy" and not shutil.which("autonomy")
    return sys.argv[0] if here else "autonomy"


def say(text: str, style: str = "") -> None:
    """A line for people; the terminal wraps it, so that a path in it can be copied whole."""
    console().print(Text(visible(text), style=style), soft_wrap=True)


def complain(problem: str, next_step: str = "") -> None:
    """What went wrong and what to do next, on the error stream."""
    to = console(errors=True)
    to.print(Text.assemble(("✘ ", "red"), visible(problem)), soft_wrap=True)
    if next_step:
        to.print(Text.assemble(("→ ", "cyan"), visible(next_step)), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> Table:
    """A table whose cells are cleaned; a word that names a state is coloured and marked."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        made.add_column(
            column.lstrip("#"),
            justify="right" if column.startswith("#") else "left",
            overflow="fold",
            no_wrap=column not in _TEXT,
            min_width=_WIDTHS.get(column),
        )
    for row in rows:
        made.add_row(*map(cell, row))
    return made


def cell(value: Any) -> Text:
    """One cell."""
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    return state(value) if str(value) in _STYLES else Text(visible(str(value)))


def state(name: str) -> Text:
    """A state or verdict with its colour and mark, so that it can be told without colour."""
    mark = _MARKS.get(name)
    return Text(f"{mark} {name}" if mark else str(name), style=_STYLES.get(name, ""))


def diff(text: str) -> Text:
    """A unified diff in colour, with every hidden character made visible."""
    shown = Text()
    for line in visible(text).splitlines():
        shown.append(line + "\n", style=_diff_style(line))
    return shown


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
