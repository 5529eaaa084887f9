"""The processes of the platform itself: what each runs."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from signal import SIGTERM

from console.host.environment import environment_of, node_names
from console.host.errors import SettingRefused
from console.host.home import Home
from console.host.ports import LOOPBACK
from console.host.secrets import Secrets
from console.host.serving import listens
from console.host.spawning import Process

WEB_PORT = 8700
FLOWER_PORT = 5555
FLOWER_USER = "operator"
_NEXT = 50

# Django checks itself once a start, while the database is prepared, not in every process.
_DJANGO = (sys.executable, "-m", "django")


@dataclass(frozen=True)
class Web:
    """The console and the API, on loopback."""

    environ: Mapping[str, str]
    settings: Mapping[str, str]

    name = "web"

    @property
    def wanted_ports(self) -> range:
        """The port named in the settings, or the next one that is free."""
        first = web_port(self.environ)
        return range(first, first + _NEXT)

    def prepare(self) -> None:
        """Nothing: the database is ready by now."""

    def process(self, port: int) -> Process:
        """How to run it on that port."""
        return Process(
            name=self.name,
            command=(
                *(sys.executable, "-m", "uvicorn", "config.asgi:application"),
                *("--host", LOOPBACK, "--port", str(port), "--lifespan", "off"),
                *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "5"),
            ),
            environment=environment_of(self.name, self.environ, self.settings),
            is_ready=lambda pid: listens(pid, port) and _serves(port),
        )


@dataclass(frozen=True)
class Flower:
    """The view of the workers, on loopback, behind a password."""

    home: Home
    environ: Mapping[str, str]
    settings: Mapping[str, str]

    name = "flower"
    wanted_ports = range(FLOWER_PORT, FLOWER_PORT + _NEXT)

    def prepare(self) -> None:
        """Nothing: it keeps what it sees in memory."""

    def process(self, port: int) -> Process:
        """How to run it on that port."""
        login = {"FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{Secrets(self.home)['flower.password']}"}
        # It watches the broker and nothing else, so it gets no other secret.
        hidden = {*self.settings, "DJANGO_SETTINGS_MODULE"} - {"REDIS_URL"}
        whole = environment_of(self.name, self.environ, self.settings)
        return Process(
            name=self.name,
            command=(
                *(sys.executable, "-m", "celery", "-A", "config.flower"),
                *("flower", f"--address={LOOPBACK}", f"--port={port}"),
                *("--max_tasks=1000", "--logging=warning"),
            ),
            environment={name: whole[name] for name in whole if name not in hidden} | login,
            is_ready=lambda pid: listens(pid, port),
        )


def background(environ: Mapping[str, str], settings: Mapping[str, str]) -> list[Process]:
    """The engine, the ticker and the nodes of this machine."""
    nodes = {name: (*_DJANGO, "node", "--name", name) for name in node_names(environ)}
    commands: dict[str, tuple[str, ...]] = {
        "engine": (*_DJANGO, "engine"),
        "beat": (*_DJANGO, "beat"),
        **nodes,
    }
    return [
        Process(name, command, environment_of(name, environ, settings), stop_signal=SIGTERM)
        for name, command in commands.items()
    ]


def web_port(environ: Mapping[str, str]) -> int:
    """The port of the console, or the first to try."""
    text = environ.get("AUTONOMY_PORT") or str(WEB_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65_000:
        raise SettingRefused(
            f"AUTONOMY_PORT={text!r} is not a port", "set AUTONOMY_PORT to a number such as 8700"
        )
    return int(text)


def _serves(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
