"""What a node holds while nothing runs on it: counted before and after, it has to be the same."""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.nodes import RealNode


@dataclass(frozen=True)
class Census:
    """The processes, descriptors and files of one node."""

    zygote: int
    processes: frozenset[int]
    open_files: int
    open_files_of_zygote: int
    left_in_folders: frozenset[str]


def settled(node: RealNode, before: Census) -> Census:
    """The census once it is as before, or as it is when waiting is over."""
    give_up = time.monotonic() + 15
    while (found := census(node)) != before and time.monotonic() < give_up:
        time.sleep(0.2)
    return found


def census(node: RealNode) -> Census:
    """What the node holds now."""
    zygote = node.zygote
    return Census(
        zygote=zygote.pid,
        processes=frozenset(child.pid for child in node.process.children(recursive=True)),
        open_files=node.process.num_fds(),
        open_files_of_zygote=len(_open_files(zygote)),
        left_in_folders=frozenset(map(str, _left(node.folder))),
    )


def _left(folder: Path) -> list[Path]:
    """But for the empty folders that it keeps for the next sessions, 64 of each kind at most."""
    assert len(list(folder.iterdir())) <= 128
    return [path for path in folder.rglob("*") if not _is_open_folder(path)]


def _is_open_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # it was just being removed
        return True
    return stat.S_ISDIR(found.st_mode) and found.st_mode & 0o700 == 0o700


def _open_files(zygote: psutil.Process) -> list[str]:
    """But for the empty networks that it keeps for the next sessions, 64 at most."""
    links = [os.readlink(fd) for fd in Path(f"/proc/{zygote.pid}/fd").iterdir()]  # noqa: PTH115
    networks = [link for link in links if link.startswith("net:")]
    assert len(networks) <= 64
    return [link for link in links if link not in networks]
