"""Skills that behave, and some that only look around."""

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import (
    Context,
    Evidence,
    Permanent,
    Plan,
    Scope,
    Settled,
    Submission,
    Transient,
    skill,
)
from autonomy.sdk.context import VerifierContext
from autonomy.sdk.evidence import check

SEEN: list[str] = []


class Sum(BaseModel):
    """What `add` answers."""

    total: int


@skill(tier=1)
def add(ctx: Context, left: int, right: int = 1) -> Sum:
    """Add two numbers."""
    return Sum(total=left + right)


@add.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Sum) -> Evidence:
    return Evidence.of(check("sum", expected=args["left"] + args["right"], seen=result.total))


@skill(tier=1)
def neighbour(ctx: Context) -> int:
    """Work quietly for a while, on files and on output."""
    for number in range(10):
        (ctx.folder / f"{number}").write_text("x" * 1000)
        print(f"line {number}")  # noqa: T201
        time.sleep(0.05)
    return len(list(ctx.folder.iterdir()))


@skill(tier=1)
def remember(ctx: Context, word: str) -> list[str]:
    """What this module has seen in this process."""
    SEEN.append(word)
    return SEEN


@skill(tier=1)
def surroundings(ctx: Context) -> dict[str, Any]:
    """What a session finds around it."""
    with tempfile.NamedTemporaryFile() as file:
        temporary = file.name
    return {
        "environment": dict(os.environ),
        "stdin": sys.stdin.read(),
        "descriptors": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir())[:-1],
        "uid": os.getuid(),
        "folder": [path.name for path in ctx.folder.iterdir()],
        "cwd": str(Path.cwd()),
        "temporary": temporary,
        "ids": [ctx.idempotency_key("a"), ctx.nonce, str(ctx.attempt)],
    }


@skill(tier=1)
def processes(ctx: Context) -> int:
    """How many processes can be seen."""
    return len([path for path in Path("/proc").iterdir() if path.name.isdigit()])


@skill(tier=1)
def read(ctx: Context, path: str) -> str:
    """Read a file, wherever it is."""
    return Path(path).read_text()


@skill(tier=1, scope=Scope(write=("{path}",)))
def write(ctx: Context, path: str, name: str) -> str:
    """Write a file into a folder of the scope."""
    (Path(path) / name).write_text("written")
    return name


@write.preflight
def _(ctx: Context, path: str, name: str) -> Plan:
    (Path(path) / name).write_text("written too early")
    return Plan(go=True, summary="wrote")


@write.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: str) -> Evidence:
    Path(tempfile.mkdtemp()).rmdir()
    (ctx.folder / "planted").write_text("by the verifier")
    return Evidence.of()


@skill(tier=1)
def alter(ctx: Context, path: str) -> list[str]:
    """Change the mode and the times of a file, and its attributes; what came of it."""
    ways = (
        lambda: os.chmod(path, 0o777),  # noqa: PTH101, S103
        lambda: os.utime(path, (0, 0)),
        lambda: os.setxattr(path, "user.note", b"altered"),
    )
    return [_told(way) for way in ways]


def _told(act: Callable[[], None]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


@skill(tier=1)
def keep(ctx: Context) -> str:
    """Move what was made into what is kept."""
    (ctx.folder / "made").write_text("made")
    (ctx.folder / "made").rename(ctx.artifacts / "kept")
    return (ctx.artifacts / "kept").read_text()


@skill(tier=1)
def connect(ctx: Context, port: int) -> str:
    """Talk to a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        return connection.recv(100).decode()


@skill(tier=1)
def shout(ctx: Context, port: int) -> int:
    """Send a datagram to a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"secret", ("127.0.0.1", port))


@skill(tier=1)
def loopback(ctx: Context) -> str:
    """Serve and be served, all alone."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=2) as client,
    ):
        server.accept()[0].sendall(b"hello")
        return client.recv(5).decode()


@skill(tier=1)
def knock(ctx: Context, path: str) -> str:
    """Talk to a service of this machine through a file."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    return "connected"


@skill(tier=1)
def share(ctx: Context) -> int:
    """Work in several processes that share locks."""
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(abs, [-1, -2, -3]))


@skill(tier=1)
def shell(ctx: Context, command: list[str]) -> str:
    """Run a program."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@skill(tier=1, foreign_code=True)
def foreign(ctx: Context) -> str:
    """Code that nobody here has read."""
    return "ran"


@skill(tier=1)
def talk(ctx: Context) -> str:
    """Say something, print something, keep something."""
    ctx.say("half way")
    print("\x1b[31mred\x1b[0m and \u202e reversed")  # noqa: T201
    (ctx.artifacts / "kept.txt").write_text("kept")
    return "talked"


@skill(tier=1)
def charge(ctx: Context) -> int:
    """An effect whose fate nobody can tell."""
    return int(ctx.effect("charge", lambda: 7))


@skill(tier=1)
def settle(ctx: Context, happened: bool) -> int:
    """An effect whose fate can be told."""
    return int(ctx.effect("pay", lambda: 7))


@settle.reconcile
def _(ctx: Context, step: str, args: dict[str, Any]) -> Settled:
    return Settled(happened=args["happened"], result=5)


@skill(tier=1)
def sell(ctx: Context, kind: str) -> None:
    """Fail in one of the ways a skill can choose."""
    raise {"permanent": Permanent, "transient": Transient, "bug": ValueError}[kind]("sold out")


@skill(tier=2)
def unchecked(ctx: Context) -> None:
    """Of tier 2, and without a pre-flight."""


@skill(tier=3)
def send(ctx: Context, to: str) -> None:
    """Of tier 3, and without a pre-flight."""


@send.reads
def _(to: str) -> dict[str, str]:
    return {"address book": "abc"}


@skill(tier=1)
def wait(ctx: Context, seconds: float) -> str:
    """Do nothing for a while."""
    time.sleep(seconds)
    return "waited"


@skill(tier=1)
def tidy(ctx: Context) -> None:
    """Wait to be told to end, and tidy up then."""
    try:
        print("waiting", flush=True)  # noqa: T201
        time.sleep(30)
    finally:
        (ctx.artifacts / "tidied").write_text(signal.SIGTERM.name)


@skill(tier=1)
def plan_ahead(ctx: Context) -> list[str]:
    """Ask for two tasks, one after the other."""
    commit = ctx.result_of("fetch", "commit")
    ids = ctx.submit(
        [
            Submission(key="fetch", skill="fetch", args={}),
            Submission(key="build", skill="build", args={"commit": commit}, depends_on=["fetch"]),
        ]
    )
    return sorted(ids)


@skill(tier=1)
def inherit(ctx: Context) -> list[str]:
    """What an earlier task left."""
    before = ctx.upstream["talk"]
    return [before.result, before.artifacts["kept.txt"].read_text()]


@skill(tier=1)
def count(ctx: Context) -> int:
    """How many there are, as it says."""
    return 3


@count.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: int) -> Evidence:
    (row,) = ctx.query("select %s::int as n, %s::timestamptz as at", [3, ctx.started_at])
    return Evidence.of(
        check("rows", expected=row["n"], seen=result),
        check("time", expected=ctx.started_at, seen=row["at"]),
    )
