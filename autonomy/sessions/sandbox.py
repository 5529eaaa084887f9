"""What is taken from a session's process before the author's code runs in it."""

import math
import os
import resource
from pathlib import Path

from autonomy.sdk.skill import Limits
from autonomy.sessions.envelope import Envelope

_SOCKET = 3
_GRACE_SECONDS = 2


class Refused(Exception):
    """The session cannot be bounded as it must be; nothing of it was run."""


def only(sock: int) -> int:
    """Close every descriptor but the streams and this one; returns where it is now."""
    os.dup2(sock, _SOCKET, inheritable=False)
    os.closerange(_SOCKET + 1, os.sysconf("SC_OPEN_MAX"))
    return _SOCKET


def close(envelope: Envelope) -> None:
    """Bound the process for good."""
    os.chdir(envelope.folder)
    _clean_environment(envelope)
    _limit(envelope.limits)


def _clean_environment(envelope: Envelope) -> None:
    temporary = Path(envelope.folder) / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    os.environ.clear()
    os.environ.update(
        PATH="/usr/local/bin:/usr/bin:/bin",
        HOME=envelope.folder,
        TMPDIR=str(temporary),
        LANG="C.UTF-8",
        USER=str(os.getuid()),
    )


def _limit(limits: Limits) -> None:
    cpu = math.ceil(limits.cpu_seconds) + _GRACE_SECONDS
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, limits.disk_bytes),
        (resource.RLIMIT_CPU, cpu),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
