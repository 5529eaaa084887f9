"""Beginning and ending the zygote's process."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import autonomy
from autonomy.sessions import variables


class ZygoteFailed(Exception):
    """The zygote ended, or did not get ready in time."""


@dataclass(frozen=True)
class Settings:
    """What is loaded, and how strictly it is run."""

    folders: tuple[Path, ...]
    protected: tuple[Path, ...]
    """Outside every scope."""
    lease_seconds: float
    patience: float
    """Seconds between SIGTERM and SIGKILL."""
    strongest: int
    """No more than this level of isolation is used."""


def begun(fd: int, settings: Settings) -> subprocess.Popen[bytes]:
    """The zygote's process, with an environment that holds no secret."""
    root = str(Path(autonomy.__file__).parent.parent)
    kept = variables.for_zygote(os.environ)
    return subprocess.Popen(  # noqa: S603 -- our own program
        [
            *(sys.executable, "-P", "-m", "autonomy.sessions.zygote"),
            *("--socket", str(fd), "--patience", str(settings.patience)),
            *("--lease-seconds", str(settings.lease_seconds)),
            *("--strongest", str(settings.strongest)),
            *(f"--protected={path}" for path in settings.protected),
            *map(str, settings.folders),
        ],
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=2,
        env={**variables.LEAN, "PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": root, **kept},
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes], timeout: float) -> None:
    """Wait for a process that was told to end, and make sure of it."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout)


def end_group(pid: int) -> None:
    """The session itself ended with the zygote; what it began may not have."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone, or its number is somebody else's by now
        return
