"""Starting what listens on a port, and waiting until it is this process that answers there."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import Protocol

import psutil

from console.host.errors import ServerUnavailable
from console.host.logs import Logs
from console.host.ports import KeptPorts, free, is_free
from console.host.spawning import Process, end, spawn, wait_until

_TRIES = 5
_READY_SECONDS = 300
"""Recovery after a loss of power may take PostgreSQL a while."""


class Server(Protocol):
    """Something that can be started on a port."""

    @property
    def name(self) -> str:
        """What it is called in logs and in the list of ports."""

    @property
    def wanted_ports(self) -> Sequence[int]:
        """The ports to try first."""

    def prepare(self) -> None:
        """Make what it needs on disk."""

    def process(self, port: int) -> Process:
        """How to run it."""


@dataclass(frozen=True)
class Started:
    """A server and the port it was started on."""

    process: Process
    child: Popen[bytes]
    port: int

    def came_up(self) -> bool:
        """Wait until it answers; False when it ended instead."""
        wait_until(self._settled, seconds=_READY_SECONDS)
        return self.child.poll() is None and self.process.is_ready(self.child.pid)

    def _settled(self) -> bool:
        return self.child.poll() is not None or self.process.is_ready(self.child.pid)


def start(servers: Sequence[Server], ports: KeptPorts, logs: Logs) -> list[Started]:
    """Start servers side by side, on the ports they had or other free ones, until all answer."""
    for server in servers:
        server.prepare()
    tried = [_try(server, ports, logs) for server in servers]
    return [_up(*pair, ports, logs) for pair in zip(servers, tried, strict=True)]


def spawn_logged(process: Process, logs: Logs) -> Popen[bytes]:
    """Start a process whose output goes to its log."""
    output = logs.pipe(process.name)
    try:
        return spawn(process, output)
    finally:
        os.close(output)


def listens(pid: int, port: int) -> bool:
    """Whether it is this process that listens there."""
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp4")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False  # an ordinary user may not look at a process that is just ending
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections)


def _try(server: Server, ports: KeptPorts, logs: Logs) -> Started:
    port = free(ports[server.name], *server.wanted_ports)
    process = server.process(port)
    return Started(process, spawn_logged(process, logs), port)


def _up(server: Server, started: Started, ports: KeptPorts, logs: Logs) -> Started:
    for tries in range(_TRIES):
        if started.came_up():
            ports.keep(server.name, started.port)
            return started
        end(started.child, started.process.stop_signal, seconds=5)
        # Someone else may have taken the port, and may have left it again by now: once more then.
        if tries and is_free(started.port):
            break
        started = _try(server, ports, logs)
    raise ServerUnavailable(
        f"{server.name} does not start: {logs.tail(server.name)}", f"read {logs.path(server.name)}"
    )
