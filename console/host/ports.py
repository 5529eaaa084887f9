"""Ports on loopback, kept across restarts where they are still free."""

import secrets
import socket
from pathlib import Path

from console.host.errors import ServerUnavailable
from console.host.home import read_private, write_private

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports of outgoing connections, so that a port
# we keep is not taken by chance while its server is down.
_RANGE = range(20_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free(*wanted: int | None) -> int:
    """The first wanted port that is free, or any that is."""
    for port in wanted:
        if port and is_free(port):
            return port
    for _ in range(_TRIES):
        port = _RANGE[secrets.randbelow(len(_RANGE))]
        if is_free(port):
            return port
    raise ServerUnavailable(
        f"no port between {_RANGE.start} and {_RANGE.stop} is free on {LOOPBACK}",
        "see who listens with `ss -ltnp`, and end what is not needed",
    )


class KeptPorts:
    """The ports of an installation, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ports: dict[str, int] = read_private(file) or {}

    def __getitem__(self, name: str) -> int | None:
        return self._ports.get(name)

    def keep(self, name: str, port: int) -> int:
        """Remember the port for the next start."""
        if self._ports.get(name) != port:
            self._ports[name] = port
            write_private(self._file, self._ports)
        return port
