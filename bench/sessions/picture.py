"""The figures as a picture: what one task costs in CPU time, and how many there are per second."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.figures import RESULTS
from bench.sessions.results import Result

mpl.use("agg")


def drawn(results: Sequence[Result]) -> Path:
    """Draw them; gives the file."""
    figure = Figure(figsize=(11, 0.45 * len(results) + 1.6), layout="constrained")
    cost, rate = figure.subplots(1, 2, sharey=True)
    names = [result.name for result in results]
    _bars(cost, names, [result.cpu_ms for result in results], "CPU ms per task, all processes")
    _bars(rate, names, [result.rate for result in results], "tasks per second")
    cost.invert_yaxis()
    file = RESULTS / "sessions.png"
    RESULTS.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)
    return file


def _bars(axes: mpl.axes.Axes, names: list[str], values: list[float], title: str) -> None:
    bars = axes.barh(names, values, color=["C0" if "Celery" in n else "C1" for n in names])
    axes.bar_label(bars, fmt="{:,.1f}", padding=3)
    axes.set_xscale("log")
    axes.margins(x=0.25)
    axes.set_title(title)
