"""What runs, written down so that other commands, and the next start, can find it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from console.host.home import Home, read_private, write_private
from console.host.identity import Identity

_FILE = "state.json"


@dataclass(frozen=True)
class Running:
    """A process of the platform."""

    name: str
    identity: Identity
    deaths: int = 0
    """How often it has ended by itself since the platform started."""


@dataclass(frozen=True)
class State:
    """The platform on one home."""

    supervisor: Identity
    since: float
    processes: tuple[Running, ...] = ()
    skills: tuple[str, ...] = ()
    urls: dict[str, str] = field(default_factory=dict)
    ready: bool = False

    def write(self, home: Home) -> None:
        """Note it."""
        write_private(home.run / _FILE, asdict(self))


def read(home: Home) -> State | None:
    """What was noted last, by a supervisor that may run no more."""
    shape = read_private(home.run / _FILE)
    if shape is None:
        return None
    return State(
        supervisor=_identity(shape["supervisor"]),
        since=shape["since"],
        processes=tuple(
            Running(row["name"], _identity(row["identity"]), row["deaths"])
            for row in shape["processes"]
        ),
        skills=tuple(shape["skills"]),
        urls=shape["urls"],
        ready=shape["ready"],
    )


def _identity(shape: dict[str, Any]) -> Identity:
    return Identity(shape["pid"], shape["started"], tuple(shape["command"]))
