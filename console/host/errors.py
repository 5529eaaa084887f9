"""What can go wrong on the host, each with the next step and its exit code."""

from typing import ClassVar

from console.host.exits import Exit


class HostError(Exception):
    """Something about this machine stops the platform; `fix` says what to do about it."""

    exit: ClassVar[Exit] = Exit.FAILED

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}\n{self.fix}"

    def as_json(self) -> dict[str, str]:
        """What another process needs to raise it again."""
        return {"error": type(self).__name__, "problem": self.problem, "fix": self.fix}

    @classmethod
    def from_json(cls, shape: dict[str, str]) -> "HostError":
        """The error another process reported."""
        kinds = {kind.__name__: kind for kind in _descendants(cls)}
        return kinds.get(shape["error"], HostError)(shape["problem"], shape["fix"])


class SettingRefused(HostError):
    """A setting cannot be used."""

    exit = Exit.SETTING


class EvictingRedis(SettingRefused):
    """A Redis that may throw waiting messages away."""


class ServerUnavailable(HostError):
    """A server cannot be started, reached or used."""

    exit = Exit.SERVER


class WrongMajor(ServerUnavailable):
    """The data folder belongs to another major version of PostgreSQL."""


class RoleForbidden(ServerUnavailable):
    """The owner may not create or change the roles of the platform."""


class StartFailed(HostError):
    """A process of the platform does not stay up."""


class AlreadyRunning(HostError):
    """Another supervisor holds this home."""

    exit = Exit.RUNNING


class NotRunning(HostError):
    """No supervisor runs on this home."""

    exit = Exit.STOPPED


class HomeUnusable(HostError):
    """The home folder cannot be made, read or written."""

    exit = Exit.HOME


class DiskFull(HomeUnusable):
    """There is no room left where the platform keeps its data."""


class SecretChanged(HostError):
    """The secrets are not the ones this database was set up with."""

    exit = Exit.SECRET


def _descendants(kind: type[HostError]) -> list[type[HostError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _descendants(child))]
