"""`make bench-ledger`: fill, ask everything, drop a month; a table and a file."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from bench.figures import machine, save, say, show
from console.host.embedded import servers
from console.host.home import Home

LIMIT_MS = 100.0
DROP_SECONDS = 5.0
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only for a benchmark",
    "ALLOWED_HOSTS": "testserver",
}


def main() -> None:
    """Measure, print and keep."""
    facts = machine()
    with _database():
        from bench.ledger.work import QUICK, WHOLE, measured  # noqa: PLC0415 -- needs Django

        size = QUICK if os.environ.get("QUICK") == "1" else WHOLE
        found = {**facts, **measured(size)}
    _shown(found)
    say(f"kept in {save('ledger', found)}")


@contextmanager
def _database() -> Iterator[None]:
    """A PostgreSQL of its own with an empty database of ours, and Django on it."""
    folder = Path(tempfile.mkdtemp(prefix="autonomy-bench-", dir=os.environ.get("BENCH_DIR")))
    home = Home(folder.resolve())
    try:
        with servers(home, os.environ) as urls:
            os.environ |= urls | SETTINGS | {"AUTONOMY_HOME": str(folder)}
            django.setup()
            yield
    finally:
        home.forget()
        shutil.rmtree(folder, ignore_errors=True)


def _shown(found: dict[str, Any]) -> None:
    rows = [
        [t["name"], f"{t['database_ms']:.1f}", f"{t['whole_ms']:.1f}", f"{t['cpu_ms']:.1f}",
         str(t["statements"]),
         _verdict(kept=t["database_ms"] < LIMIT_MS)]
        for t in found["timings"]
    ]  # fmt: skip
    title = f"{found['outcomes']:,} outcomes, {found['events']:,} events, medians in ms"
    show(title, ["question", "in the database", "in all", "CPU", "statements", "< 100 ms"], rows)
    others = [
        ["a month dropped", f"{found['drop_seconds']:.3f} s, {found['dropped']:,} outcomes",
         _verdict(kept=found["drop_seconds"] < DROP_SECONDS)],
        ["longest that recording an outcome waited meanwhile", f"{found['held_up_ms']:.0f} ms", ""],
        ["an outcome, with its indexes", f"{found['outcome_bytes']:.0f} bytes", ""],
        ["sums per day, all", f"{found['sums_bytes'] / 1e6:.0f} MB", ""],
        ["an event, with its seal and indexes", f"{found['event_bytes']:.0f} bytes", ""],
        ["outcomes added up again", f"{found['added_up_per_second']:,.0f} per second", ""],
        ["sealing", f"{found['sealed_per_second']:,.0f} events per second", ""],
        ["verifying", f"{found['verified_per_second']:,.0f} events per second", ""],
        ["memory added by verifying", f"{found['verify_memory_bytes'] / 1e6:.0f} MB", ""],
    ]  # fmt: skip
    show("the rest", ["what", "measured", "aim"], others)


def _verdict(*, kept: bool) -> str:
    return "yes" if kept else "NO"


if __name__ == "__main__":
    main()
