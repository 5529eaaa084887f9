"""The files that one session is given besides those of all: its own folders, and its scope."""

from collections.abc import Iterable
from pathlib import Path

from autonomy.sessions import landlock
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.landlock import Ground
from autonomy.sessions.orders import Purpose
from autonomy.sessions.refusal import Refused

Places = tuple[Path, ...]


def granted(envelope: Envelope, *, protected: Places, code: Places) -> list[Ground]:
    """Opened for the session; raises Refused. Only a run writes, and never what runs elsewhere."""
    change = landlock.WRITE if envelope.purpose is Purpose.RUN else landlock.READ
    scope = envelope.scope
    readable = scoped(scope.read, protected, scope.within)
    writable = scoped(scope.write, (*protected, *code), scope.within)
    found = [opened_itself(path, landlock.READ) for path in readable]
    found += [opened_itself(path, change) for path in writable]
    if envelope.purpose is not Purpose.LOOK:
        found += [_opened(Path(path), landlock.READ) for path in envelope.readable]
        found += [_opened(Path(path), change) for path in (envelope.folder, envelope.artifacts)]
        found.append(_opened(Path(envelope.temp), landlock.WRITE))
    return found


def changing(envelope: Envelope) -> list[str]:
    """Where the session may change something; what cannot be granted is refused elsewhere."""
    if envelope.purpose is Purpose.LOOK:
        return []
    if envelope.purpose is not Purpose.RUN:
        return [envelope.temp]
    # Together, so that a file can be renamed from one to the other.
    own = {str(Path(path).parent) for path in (envelope.folder, envelope.artifacts)}
    named = [Path(_named(pattern)) for pattern in envelope.scope.write]
    there = (str(path) for path in named if path.is_absolute() and path.exists())
    return [*sorted(own), envelope.temp, *there]


def lie_in(folder: Path, envelope: Envelope) -> bool:
    """Whether anything that the session is given lies in the folder."""
    given = (envelope.folder, envelope.artifacts, envelope.temp, *envelope.readable)
    named = (*envelope.scope.read, *envelope.scope.write)
    return any(Path(path).is_relative_to(folder) for path in (*given, *named))


def scoped(
    patterns: Iterable[str], protected: Places, within: Iterable[tuple[str, str]] = ()
) -> list[Path]:
    """The paths a scope names: `inbox/**` is the folder. Raises Refused for what no scope holds."""
    tops = dict(within)
    return [_scoped(pattern, protected, tops.get(pattern, "")) for pattern in patterns]


def _scoped(pattern: str, protected: Places, top: str) -> Path:
    path = Path(_named(pattern))
    if not path.is_absolute():
        raise Refused(f"the scope names {pattern!r}; only absolute paths can be granted")
    real = path.resolve()
    if top and not real.is_relative_to(Path(top).resolve()):
        raise Refused(f"the scope names {pattern!r}; a link there leads out of {top}, to {real}")
    for taboo in protected:
        if real.is_relative_to(taboo) or taboo.is_relative_to(real):
            raise Refused(f"the scope names {pattern!r}; {taboo} is outside every scope")
    return real


def _named(pattern: str) -> str:
    return pattern.removesuffix("/**").removesuffix("/*")


def opened_itself(path: Path, access: int) -> Ground:
    """What was looked at, and nothing that somebody has put in its place meanwhile."""
    found = _opened(path, access)
    at = Path(f"/proc/self/fd/{found.fd}").readlink()
    if at != path:
        raise Refused(f"{path} cannot be granted: it became a link to {at}")
    return found


def _opened(path: Path, access: int) -> Ground:
    try:
        return landlock.opened(path, access)
    except OSError as error:
        raise Refused(f"{path} cannot be granted: {error.strerror}") from None
