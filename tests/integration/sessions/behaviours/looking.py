"""Detectors that look, and detectors that do more."""

import socket
import time
from collections.abc import Iterable
from pathlib import Path

from heartbeats.sdk import Finding, View, detector


@detector(every="1m", kind="threshold")
def row_count(view: View, at_least: int = 1) -> Iterable[Finding]:
    """Asks the database for a number."""
    (row,) = view.query("select %s::int as n", [at_least])
    if row["n"] >= at_least:
        yield Finding(skill="calm.add", args={"left": row["n"]}, dedupe_key="n", reason="enough")


@detector(every="1m", kind="threshold")
def writer(view: View) -> Iterable[Finding]:
    """Tries to write where it may only read."""
    view.query("create table planted (id int)")
    return []


@detector(every="1m", kind="threshold")
def filer(view: View, path: str) -> Iterable[Finding]:
    """Tries to write a file."""
    Path(path).write_text("planted")
    return []


@detector(every="1m", kind="external")
def caller(view: View, port: int) -> Iterable[Finding]:
    """Tries to reach a port."""
    socket.create_connection(("127.0.0.1", port), timeout=2)
    return []


@detector(every="1m", kind="external")
def sleeper(view: View) -> Iterable[Finding]:
    """Never comes to an end."""
    time.sleep(60)
    return []
