"""Skills that break out of every limit there is, each in its own way."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from autonomy.sdk import Context, skill

MEGABYTE = b"x" * 1_000_000


@skill(tier=1)
def crash(ctx: Context) -> None:
    """Read where there is nothing."""
    ctypes.string_at(0)


@skill(tier=1)
def vanish(ctx: Context, status: int) -> None:
    """Exit without a word."""
    os._exit(status)


@skill(tier=1)
def quit_loudly(ctx: Context) -> None:
    """Raise what only ends programs."""
    sys.exit(0)


@skill(tier=1)
def stay_deaf(ctx: Context) -> None:
    """Ignore being told to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)  # noqa: T201
    time.sleep(60)


@skill(tier=1)
def stay_behind(ctx: Context, mark: str) -> str:
    """Leave a process of another session and group behind, with its own parent gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", mark])  # noqa: S606
        os._exit(0)
    time.sleep(0.2)
    return "left"


@skill(tier=1)
def close_everything(ctx: Context) -> str:
    """Close the own output."""
    os.close(1)
    os.close(2)
    return "closed"


@skill(tier=1)
def kill_parent(ctx: Context) -> list[str]:
    """Send signals to whoever began this session."""
    answers = []
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(os.getppid() or 1_000_000, number)
            answers.append("sent")
        except OSError as error:
            answers.append(type(error).__name__)
    return answers


@skill(tier=1)
def fill_folder(ctx: Context) -> None:
    """Write more than is allowed, file by file."""
    for number in range(500):
        (ctx.folder / str(number)).write_bytes(MEGABYTE)
        time.sleep(0.005)


@skill(tier=1)
def fill_one_file(ctx: Context) -> None:
    """Write more than is allowed into one file."""
    with (ctx.folder / "large").open("wb") as file:
        for _ in range(500):
            file.write(MEGABYTE)


@skill(tier=1)
def fill_unseen(ctx: Context) -> None:
    """Write more than is allowed into files that have no name."""
    kept = []
    for _ in range(60):
        path = ctx.folder / "unseen"
        kept.append(path.open("wb"))
        path.unlink()
        for _ in range(5):
            kept[-1].write(MEGABYTE)
        kept[-1].flush()
        time.sleep(0.02)
    time.sleep(30)


@skill(tier=1)
def dig(ctx: Context) -> None:
    """Make folders so deep that they have no name."""
    for _ in range(600):
        Path("a" * 100).mkdir()
        os.chdir("a" * 100)
    time.sleep(30)


@skill(tier=1)
def delete_folder(ctx: Context) -> str:
    """Remove the own folders."""
    shutil.rmtree(ctx.folder, ignore_errors=True)
    shutil.rmtree(ctx.artifacts, ignore_errors=True)
    return "deleted"


@skill(tier=1)
def flood(ctx: Context) -> None:
    """Print one gigabyte."""
    for _ in range(1_000):
        os.write(1, MEGABYTE)


@skill(tier=1)
def eat(ctx: Context) -> None:
    """Use ever more memory."""
    eaten = []
    while True:
        eaten.append(bytearray(1_000_000))
        eaten[-1][::4096] = b"x" * len(eaten[-1][::4096])
        time.sleep(0.001)


@skill(tier=1)
def eat_at_once(ctx: Context) -> None:
    """Ask for more memory than the machine has."""
    bytearray(1 << 40)


@skill(tier=1)
def eat_together(ctx: Context) -> None:
    """Use too much memory, but no process too much."""
    for _ in range(6):
        if os.fork() == 0:
            hoard = bytearray(30_000_000)
            hoard[::4096] = b"x" * len(hoard[::4096])
            time.sleep(30)
            os._exit(len(hoard) % 2)
    time.sleep(30)


@skill(tier=1)
def spin(ctx: Context) -> None:
    """Use ever more of the processor."""
    while True:
        pass


@skill(tier=1)
def multiply(ctx: Context) -> None:
    """Begin ever more processes."""
    for _ in range(200):
        subprocess.Popen(["sleep", "30"])
    time.sleep(30)


@skill(tier=1)
def bomb(ctx: Context) -> None:
    """Every process begins two."""
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


@skill(tier=1)
def hoard_files(ctx: Context) -> None:
    """Open more files than are allowed."""
    kept = [Path(os.devnull).open() for _ in range(1_000)]  # noqa: SIM115
    kept.clear()


@skill(tier=1)
def hoard_behind_a_library(ctx: Context) -> None:
    """Open more files than are allowed, and hear of it in other words."""
    try:
        hoard_files.run(ctx)
    except OSError as error:
        raise RuntimeError("cannot load the model") from error


@skill(tier=1)
def answer_nonsense(ctx: Context) -> Any:
    """Answer something that is no value."""
    return object()


@skill(tier=1)
def answer_wrongly(ctx: Context) -> int:
    """Answer something else than was declared."""
    return "many"  # type: ignore[return-value]


@skill(tier=1)
def answer_too_much(ctx: Context) -> str:
    """Answer fifty megabytes."""
    return "x" * 50_000_000


@skill(tier=1)
def answer_unstorable(ctx: Context) -> str:
    """Answer a character that no database keeps."""
    return "a\0b"


@skill(tier=1)
def babble(ctx: Context, hexed: str) -> None:
    """Write nonsense where only the platform writes."""
    for fd in range(3, 1_000):
        try:
            if Path(f"/proc/self/fd/{fd}").readlink().name.startswith("socket"):
                os.write(fd, bytes.fromhex(hexed))
        except OSError:
            continue
    time.sleep(30)


@skill(tier=1)
def dawdle(ctx: Context) -> None:
    """Never come to an end."""
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S112
            continue
