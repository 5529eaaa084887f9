"""Skills that try to become more than they were made."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autonomy.sdk import Context, skill

_STANDING = (
    "Uid",
    "Gid",
    "Groups",
    "CapPrm",
    "CapEff",
    "CapInh",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
)


@skill(tier=1)
def standing(ctx: Context) -> dict[str, list[str]]:
    """What the kernel says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    told = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    return {name: told[name] for name in _STANDING}


@skill(tier=1)
def climb(ctx: Context, programs: list[str]) -> dict[str, str]:
    """Try every way up there is; what came of each."""
    ways: dict[str, Callable[[], Any]] = {
        "setuid": lambda: os.setuid(0),
        "seteuid": lambda: os.seteuid(0),
        "setresuid": lambda: os.setresuid(0, 0, 0),
        "setgid": lambda: os.setgid(0),
        "setgroups": lambda: os.setgroups([0]),
        "chroot": lambda: os.chroot("/"),
        "device": lambda: os.mknod("device", 0o600 | stat.S_IFBLK, os.makedev(8, 0)),
        "priority": lambda: os.nice(-5),
    }
    found = {name: _told(way) for name, way in ways.items()}
    for program in programs:
        done = subprocess.run([program, "-u"], capture_output=True, text=True, check=False)
        found[program] = done.stdout.strip()
    return found


@skill(tier=1)
def open_all(ctx: Context, paths: list[str]) -> list[str]:
    """Those of the paths that can be opened."""
    opened = []
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            continue
        opened.append(path)
    return opened


@skill(tier=1)
def crash_a_child(ctx: Context) -> bool:
    """Whether a program that is made to crash leaves its memory behind."""
    done = subprocess.run(["/bin/sh", "-c", "kill -SEGV $$"], check=False)
    return os.WCOREDUMP(-done.returncode) or any(ctx.folder.iterdir())


def _told(way: Callable[[], Any]) -> str:
    try:
        way()
    except OSError as error:
        return type(error).__name__
    return "done"
