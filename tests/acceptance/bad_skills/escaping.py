"""Skills that reach for what is not theirs, or leave something behind."""

import ctypes
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from autonomy.sdk import Context, Permanent, skill

bad = partial(skill, tier=1, retries=0, timeout="30s", memory="150MB", disk="20MB", processes=20)

SIGNALS = (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL)
NETLINK, PACKET, VSOCK = 16, 17, 40


@bad(name="leaves_grandchild")
def leaves_grandchild(ctx: Context, mark: str) -> str:
    """Leave a process behind, whose parent is gone."""
    if os.fork() == 0:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", mark])  # noqa: S606
        os._exit(0)
    os.wait()
    return "left"


@bad(name="vanishes_from_grandchild")
def vanishes_from_grandchild(ctx: Context, mark: str) -> None:
    """Leave a process behind, and exit without a word."""
    leaves_grandchild.run(ctx, mark)
    os._exit(0)


@bad(name="becomes_daemon")
def becomes_daemon(ctx: Context, mark: str) -> str:
    """Leave a daemon behind: another session and group, nothing open, no parent."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 300)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", mark])  # noqa: S606
        os._exit(0)
    os.wait()
    return "left"


@bad(name="kills")
def kills(ctx: Context, pids: list[int]) -> None:
    """Send signals to whoever is there, and to whoever is said to be there."""
    seen = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}
    others = {*pids, *(-pid for pid in pids), *seen, os.getppid(), -1} - {os.getpid(), 0}
    for pid in others:
        for number in SIGNALS:
            _must_fail(f"signal {number} to {pid}", partial(os.kill, pid, number))
    raise Permanent(f"nobody was reached among {len(others)}")


@bad(name="spies")
def spies(ctx: Context, pids: list[int]) -> None:
    """Read the environments, the memory and the files of others."""
    for pid in [1, *pids, *(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())]:
        for name in ("environ", "mem", "maps", "cmdline"):
            if pid != os.getpid():
                _must_fail(f"{name} of {pid}", Path(f"/proc/{pid}/{name}").read_bytes)
    for path in map(Path, ("/etc/shadow", "/root/.ssh", "/etc/ssl/private")):
        _must_fail(f"{path}", partial(os.open, path, os.O_RDONLY))
    raise Permanent("nothing was read")


@bad(name="calls_out")
def calls_out(ctx: Context, port: int, file: str, name: str) -> None:
    """Open sockets of every kind."""
    unix = partial(socket.socket, socket.AF_UNIX, socket.SOCK_STREAM)
    ways: dict[str, Callable[[], Any]] = {
        "tcp": lambda: socket.create_connection(("127.0.0.1", port), timeout=2),
        "tcp 6": lambda: socket.create_connection(("::1", port), timeout=2),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"x", ("8.8.8.8", 53)
        ),
        "metadata": lambda: socket.create_connection(("169.254.169.254", 80), timeout=2),
        "a name": lambda: socket.getaddrinfo("example.org", 80),
        "netlink": lambda: socket.socket(NETLINK, socket.SOCK_RAW, 0),
        "packet": lambda: socket.socket(PACKET, socket.SOCK_RAW, 0),
        "vsock": lambda: socket.socket(VSOCK, socket.SOCK_STREAM, 0),
        "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "a file": lambda: unix().connect(file),
        "a name without a file": lambda: unix().connect(f"\0{name}"),
    }
    for way, act in ways.items():
        _must_fail(way, act)
    raise Permanent(f"none of {len(ways)} ways leads out")


@bad(name="follows_links")
def follows_links(ctx: Context, outside: str) -> None:
    """Write outside of its folder through links, and leave links where files are kept."""
    (ctx.folder / "folder").symlink_to(outside)
    (ctx.folder / "file").symlink_to(Path(outside, "file"))
    (ctx.artifacts / "passwd").symlink_to("/etc/passwd")
    _must_fail("a folder", lambda: (ctx.folder / "folder" / "new").write_text("written"))
    _must_fail("a file", lambda: (ctx.folder / "file").write_text("written"))
    _must_fail("a hard link", lambda: os.link(Path(outside, "file"), ctx.folder / "hard"))
    raise Permanent("nothing was written")


@bad(name="deletes_folder")
def deletes_folder(ctx: Context) -> str:
    """Remove the own folders."""
    for folder in (ctx.folder, ctx.artifacts, Path(os.environ["TMPDIR"])):
        shutil.rmtree(folder, ignore_errors=True)
    return "deleted"


@bad(name="locks_folder")
def locks_folder(ctx: Context) -> str:
    """Leave folders that nobody may enter, and names that are hard to say."""
    for place in (ctx.folder, ctx.artifacts, Path(os.environ["TMPDIR"])):
        inner = place / "closed" / "closed"
        inner.mkdir(parents=True)
        (inner / "-rf \n\x1b[31m").write_text("x")
        for folder in (inner, inner.parent, place):
            folder.chmod(0)
    return "locked"


@bad(name="leaves_shared_memory")
def leaves_shared_memory(ctx: Context, key: int) -> str:
    """Leave what outlives processes: shared memory and queues, of both kinds."""
    libc = ctypes.CDLL(None, use_errno=True)
    Path("/dev/shm/bad-left").write_text("x")  # noqa: S108
    libc.shmget(key, ctypes.c_size_t(4096), 0o1600)
    libc.msgget(key, 0o1600)
    libc.semget(key, 1, 0o1600)
    libc.mq_open(b"/bad-left", os.O_CREAT | os.O_RDWR, 0o600, None)
    return "left"


@bad(name="never_joins")
def never_joins(ctx: Context) -> str:
    """Leave threads running that nobody waits for."""
    import threading  # noqa: PLC0415 -- as authors do it

    for _ in range(5):
        threading.Thread(target=time.sleep, args=(60,)).start()
    return "left"


def _must_fail(what: str, act: Callable[[], Any]) -> None:
    """Raise if it can be done."""
    try:
        act()
    except OSError:
        return
    raise RuntimeError(f"{what}: it could be done")
