"""Skills that cross a limit, crash, or answer what they should not."""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from autonomy.sdk import Context, Evidence, Scope, VerifierContext, skill
from autonomy.sdk.evidence import check

MEGABYTE = b"x" * 1_000_000
SEEN: list[str] = []

bad = partial(skill, tier=1, retries=0, timeout="30s", memory="150MB", disk="20MB", processes=20)


@skill(tier=1, name="neighbour", retries=0, timeout="90s", scope=Scope(read=("{gate}",)))
def neighbour(ctx: Context, gate: str, name: str) -> int:
    """Work quietly until the other one has ended."""
    rounds = 0
    while not Path(gate, name).exists():
        (ctx.folder / "work").write_text(f"{rounds}")
        print(f"round {rounds}")  # noqa: T201
        rounds += 1
        time.sleep(0.05)
    (ctx.artifacts / "work").write_text((ctx.folder / "work").read_text())
    return rounds


@neighbour.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: int) -> Evidence:
    kept = ctx.artifacts["work"].read_text() if "work" in ctx.artifacts else ""
    return Evidence.of(check("rounds", expected=str(result - 1) if result else "", seen=kept))


@bad(name="raises")
def raises(ctx: Context) -> None:
    """Raise something of its own."""
    raise ValueError("sold out")


@bad(name="segfaults")
def segfaults(ctx: Context) -> None:
    """Read where there is nothing."""
    ctypes.string_at(0)


@bad(name="quits")
def quits(ctx: Context) -> None:
    """Raise what only ends programs."""
    sys.exit(0)


@bad(name="vanishes")
def vanishes(ctx: Context) -> None:
    """Exit as if all were well."""
    os._exit(0)


@bad(name="becomes_another")
def becomes_another(ctx: Context) -> None:
    """Become another program."""
    os.execv("/bin/true", ["true"])  # noqa: S606


@bad(name="recurses")
def recurses(ctx: Context) -> None:
    """Call itself until there is no room."""
    recurses.run(ctx)


@bad(name="stays_deaf")
def stays_deaf(ctx: Context) -> None:
    """Do not hear that it is to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctx.say("deaf")
    while True:
        try:
            time.sleep(1)
        except BaseException:  # noqa: BLE001, S112
            continue


@bad(name="closes_everything")
def closes_everything(ctx: Context) -> str:
    """Close every descriptor, also the one to its supervisor."""
    os.closerange(0, 300)
    return "closed"


@bad(name="closes_output")
def closes_output(ctx: Context) -> str:
    """Close the own output."""
    os.close(1)
    os.close(2)
    return "closed"


@bad(name="floods")
def floods(ctx: Context) -> None:
    """Print one gigabyte."""
    for _ in range(1_000):
        os.write(1, MEGABYTE)


@bad(name="lets_another_flood")
def lets_another_flood(ctx: Context) -> None:
    """Let a program print without end, and wait for it."""
    subprocess.run(["yes", "no end"], check=False)


@bad(name="fills_folder")
def fills_folder(ctx: Context) -> None:
    """Write more than is allowed, file by file."""
    for number in range(60):
        (ctx.folder / f"{number}").write_bytes(MEGABYTE)
        time.sleep(0.01)
    time.sleep(30)


@bad(name="fills_one_file")
def fills_one_file(ctx: Context) -> None:
    """Write more than is allowed into one file."""
    with (ctx.folder / "large").open("wb") as file:
        for _ in range(60):
            file.write(MEGABYTE)


@bad(name="fills_unseen")
def fills_unseen(ctx: Context) -> None:
    """Write more than is allowed into memory that counts as a file without a name."""
    hoard = os.memfd_create("hoard")
    for _ in range(19):
        os.write(hoard, MEGABYTE)
    another = os.memfd_create("another")
    for _ in range(19):
        os.write(another, MEGABYTE)
    time.sleep(30)


@bad(name="fills_shared_memory")
def fills_shared_memory(ctx: Context) -> None:
    """Write more than is allowed into shared memory."""
    for number in range(40):
        Path(f"/dev/shm/bad-{number}").write_bytes(MEGABYTE)  # noqa: S108
    time.sleep(30)


@bad(name="eats")
def eats(ctx: Context) -> None:
    """Use ever more memory."""
    eaten = []
    while True:
        eaten.append(bytearray(MEGABYTE))
        time.sleep(0.001)


@bad(name="eats_together")
def eats_together(ctx: Context) -> None:
    """Use too much memory, but no process too much."""
    for _ in range(6):
        if os.fork() == 0:
            hoard = bytearray(40_000_000)
            hoard[::4096] = b"x" * len(hoard[::4096])
            time.sleep(30)
            os._exit(len(hoard) % 2)
    time.sleep(30)


@bad(name="burns", cpu="1s")
def burns(ctx: Context) -> None:
    """Burn the processor in threads, none of which burns too much."""
    for _ in range(4):
        threading.Thread(target=_burn, daemon=True).start()
    time.sleep(30)


def _burn() -> None:
    while True:
        hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 100_000)


@bad(name="dawdles", timeout="1s")
def dawdles(ctx: Context) -> None:
    """Never come to an end."""
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S112
            continue


@bad(name="multiplies")
def multiplies(ctx: Context) -> None:
    """Every process begins another: a fork bomb."""
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


@bad(name="hoards_files", open_files=64)
def hoards_files(ctx: Context) -> None:
    """Open more files than are allowed."""
    kept = [Path(os.devnull).open() for _ in range(1_000)]  # noqa: SIM115
    kept.clear()


@bad(name="answers_wrongly")
def answers_wrongly(ctx: Context) -> int:
    """Answer something else than was declared."""
    return "many"  # type: ignore[return-value]


@bad(name="answers_too_much", memory="512MB")
def answers_too_much(ctx: Context) -> str:
    """Answer fifty megabytes."""
    return "x" * 50_000_000


@bad(name="talks_nonsense")
def talks_nonsense(ctx: Context) -> None:
    """Write nonsense where only the platform writes."""
    for link in Path("/proc/self/fd").iterdir():
        try:
            if link.readlink().name.startswith("socket"):
                os.write(int(link.name), b"\0\0\0\5hello")
        except OSError:
            continue
    time.sleep(30)


@bad(name="remembers")
def remembers(ctx: Context, word: str) -> list[str]:
    """What this module has seen in this process."""
    SEEN.append(word)
    return SEEN
