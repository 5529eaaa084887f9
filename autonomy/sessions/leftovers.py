"""What a session leaves: processes that stayed behind, and its temporary folder."""

import errno
import os
import signal
import sys
import time
from collections.abc import Container
from pathlib import Path

from autonomy.sessions import folders
from autonomy.sessions.measures import children, family

_PASSES = 50
_PASS_SECONDS = 0.001


def end_strays(known: Container[int]) -> bool:
    """Kill whatever became a child of this process without being forked by it; whether all ended.

    Sessions without a process namespace need this: their orphans come to the zygote.
    """
    for _ in range(_PASSES):
        strays = [pid for pid in children(os.getpid()) if pid not in known]
        if not strays:
            return True
        for stray in strays:
            for pid in reversed(family(stray)):
                _kill(pid)
            os.waitpid(stray, os.WNOHANG)
        time.sleep(_PASS_SECONDS)
    return False


def end_all_of(uid: int) -> None:
    """Kill every process of this user, by a process that has become this user."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def begin_removal(path: Path) -> int | None:
    """Remove the folder: at once when it is empty, else by a process, whose id is returned."""
    try:
        path.rmdir()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            return _removed_by_another(path)
        _complain(error)
    return None


def _removed_by_another(path: Path) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            folders.remove(path)
        except folders.NotRemoved as error:
            _complain(error)
        finally:
            os._exit(0)
    return pid


def _complain(error: Exception) -> None:
    """Of what an operator may have to tidy up."""
    sys.stderr.write(f"zygote: something is left of a session: {error}\n")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended by itself
        return
