"""What every benchmark does with its figures: a table, a file and the facts of the machine."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC
from datetime import datetime as clock
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent.parent / "var" / "bench"

_WIDTH = 140


def machine() -> dict[str, Any]:
    """When and where it was measured, and how busy the machine was before."""
    return {
        "at": clock.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 -- a door
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Keep the figures where the next reader finds them."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(figures, indent=2) + "\n")
    return file


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in the terminal; the first column is text, the others are numbers."""
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    say_table(table)


def say(text: str) -> None:
    """A line in the terminal."""
    _console().print(text)


def say_table(table: Table) -> None:
    """A table in the terminal."""
    _console().print(table)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one; 0 where there is none."""
    return statistics.median(values) if values else 0.0


def _console() -> Console:
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(width=width, highlight=False)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
