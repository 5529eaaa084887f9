"""Detectors that look, and detectors that do more."""

import os
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


@detector(every="1m", kind="pattern")
def crasher(view: View) -> Iterable[Finding]:
    """Takes its process with it."""
    os._exit(9)


@detector(every="1m", kind="pattern")
def pid(view: View) -> Iterable[Finding]:
    """Says in which database session it looks."""
    (row,) = view.query("select pg_backend_pid() as pid")
    yield Finding(skill="calm.add", args={"left": row["pid"]}, dedupe_key="pid", reason="asked")


@detector(every="1m", kind="pattern")
def cutter(view: View) -> Iterable[Finding]:
    """Loses its database."""
    view.query("select pg_terminate_backend(pg_backend_pid())")
    return []


@detector(every="1m", kind="pattern")
def smuggler(view: View) -> Iterable[Finding]:
    """Tries to say two things at once."""
    view.query("commit; create table planted (id int)")
    return []
