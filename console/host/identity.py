"""Telling a process from another one that came to have its number."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_CLOCK_STEP = 2.0  # seconds by which a corrected clock may move the time of a start


@dataclass(frozen=True)
class Identity:
    """A process by its number, when it started, and what it runs."""

    pid: int
    started: float
    command: tuple[str, ...]

    @classmethod
    def of(cls, pid: int, command: Sequence[str] | None = None) -> "Identity | None":
        """The process with that number now; None when there is none."""
        try:
            process = psutil.Process(pid)
            return cls(pid, process.create_time(), tuple(command or process.cmdline()))
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """Whether it is this process that runs, and not another with its number."""
        try:
            process = psutil.Process(self.pid)
            same_start = abs(process.create_time() - self.started) < _CLOCK_STEP
            running = process.status() != psutil.STATUS_ZOMBIE
            return same_start and running and tuple(process.cmdline()) == self.command
        except psutil.NoSuchProcess:
            return False

    def left_behind(self) -> list[int]:
        """The processes of its session that outlive it."""
        if psutil.pid_exists(self.pid) and not self.alive():
            return []  # the number went to someone else, so nothing of the session is left
        return [pid for pid in psutil.pids() if pid != self.pid and _session_of(pid) == self.pid]


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1
