"""Starting the servers that come in wheels, on ports that are free."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from subprocess import Popen
from typing import Protocol

from console.host.account import server_account
from console.host.binaries import postgres_folder, valkey_program
from console.host.errors import ServerUnavailable
from console.host.home import Home
from console.host.logs import Logs
from console.host.ports import LOOPBACK, KeptPorts, free, is_free
from console.host.postgres import DATABASE, OWNER, Postgres
from console.host.secrets import Secrets
from console.host.spawning import Process, end, spawn, wait_until
from console.host.valkey import Valkey

_TRIES = 5
_READY_SECONDS = 300
"""Recovery after a loss of power may take PostgreSQL a while."""


class Server(Protocol):
    """A server that can be started on a port."""

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
    """A server that answers."""

    process: Process
    child: Popen[bytes]
    port: int


def postgres_of(home: Home, environ: Mapping[str, str], *, durable: bool = True) -> Postgres:
    """The embedded PostgreSQL of a home."""
    account = server_account(environ)
    return Postgres(home, postgres_folder(environ, account), Secrets(home), account, durable)


def valkey_of(home: Home, environ: Mapping[str, str]) -> Valkey:
    """The embedded Valkey of a home."""
    account = server_account(environ)
    return Valkey(home, valkey_program(account), Secrets(home), account)


def start(server: Server, ports: KeptPorts, logs: Logs) -> Started:
    """Start a server on the port it had, or another free one, and wait until it answers."""
    server.prepare()
    for _ in range(_TRIES):
        port = free(ports[server.name], *server.wanted_ports)
        process = server.process(port)
        child = spawn_logged(process, logs)
        if _came_up(process, child):
            return Started(process, child, ports.keep(server.name, port))
        end(child, process.stop_signal, seconds=5)
        if is_free(port):  # so it was not the port
            break
    raise ServerUnavailable(
        f"the embedded {server.name} does not start: {logs.tail(server.name)}",
        f"read {logs.path(server.name)}, or name a server of yours (DATABASE_URL, REDIS_URL)",
    )


def spawn_logged(process: Process, logs: Logs) -> Popen[bytes]:
    """Start a process whose output goes to its log."""
    output = logs.pipe(process.name)
    try:
        return spawn(process, output)
    finally:
        os.close(output)


def owner_url(secrets: Secrets, port: int, database: str = DATABASE) -> str:
    """The owner's URL of the embedded PostgreSQL."""
    return f"postgresql://{OWNER}:{secrets['owner.password']}@{LOOPBACK}:{port}/{database}"


def redis_url(secrets: Secrets, port: int) -> str:
    """The URL of the embedded Valkey."""
    return f"redis://:{secrets['valkey.password']}@{LOOPBACK}:{port}/0"


@contextmanager
def servers(
    home: Home, environ: Mapping[str, str], *, durable: bool = True
) -> Iterator[dict[str, str]]:
    """Both servers, nothing else, for as long as the block runs; gives their URLs by setting."""
    home.prepare()
    secrets = Secrets(home)
    secrets.make()
    ports, logs = KeptPorts(home.run / "ports.json"), Logs(home.logs)
    with ExitStack() as ending:
        ending.callback(logs.close)
        up = []
        for server in (postgres_of(home, environ, durable=durable), valkey_of(home, environ)):
            up.append(started := start(server, ports, logs))
            ending.callback(end, started.child, started.process.stop_signal, seconds=10)
        postgres, valkey = up
        yield {
            "DATABASE_URL": owner_url(secrets, postgres.port),
            "REDIS_URL": redis_url(secrets, valkey.port),
        }


def _came_up(process: Process, child: Popen[bytes]) -> bool:
    def settled() -> bool:
        return child.poll() is not None or process.is_ready(child.pid)

    return wait_until(settled, seconds=_READY_SECONDS) and child.poll() is None
