"""The embedded Valkey: carries doorbells, keeps nothing that matters."""

import socket
from dataclasses import dataclass
from pathlib import Path

from console.host.account import Account
from console.host.home import Home, explained, private
from console.host.ports import LOOPBACK
from console.host.secrets import Secrets
from console.host.spawning import Process


@dataclass(frozen=True)
class Valkey:
    """A private Valkey of one home."""

    home: Home
    program: Path
    secrets: Secrets
    account: Account | None = None

    name = "valkey"
    wanted_ports = ()

    @property
    def folder(self) -> Path:
        """Where it stands while it runs; it writes nothing there."""
        return self.home.data / self.name

    def prepare(self) -> None:
        """Make its folder."""
        with explained(self.home.data):
            private(self.home.data, 0o755)
            private(self.folder, 0o755)

    def process(self, port: int) -> Process:
        """How to run it on that port."""
        return Process(
            name=self.name,
            command=(str(self.program), str(self._configure(port))),
            environment={"LC_ALL": "C"},
            account=self.account,
            is_ready=lambda _pid: self._answers(port),
        )

    def _configure(self, port: int) -> Path:
        """Write its settings to a file, because a command line shows its password to everyone."""
        file = self.folder / "valkey.conf"
        settings = {
            "bind": LOOPBACK,
            "port": port,
            "dir": self.folder,
            "requirepass": self.secrets["valkey.password"],
            "maxmemory-policy": "noeviction",
            "maxmemory": "256mb",
            "save": '""',
            "appendonly": "no",
            "loglevel": "warning",
            # Its command line tells it from other processes when it was left behind.
            "set-proc-title": "no",
        }
        file.touch(mode=0o600)
        file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if self.account:
            self.account.own(file, 0o400)
        return file

    def _answers(self, port: int) -> bool:
        password = self.secrets["valkey.password"].encode()
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                connection.sendall(b"AUTH " + password + b"\r\nPING\r\nQUIT\r\n")
                with connection.makefile("rb") as answer:
                    return answer.read().startswith(b"+OK\r\n+PONG")
        except OSError:
            return False
