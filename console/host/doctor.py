"""Looks at everything the platform stands on, and says what to mend."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from stat import S_IMODE

from autonomy.domain.isolation import told
from autonomy.sessions import isolation
from console.host import environment
from console.host.account import server_account
from console.host.connections import setting
from console.host.embedded import postgres_of
from console.host.errors import HostError
from console.host.given import check_database, check_redis
from console.host.home import Home
from console.host.postgres import NEEDED_BYTES
from console.host.privileges import excesses
from console.host.secrets import Secrets

PYTHONS = ((3, 11), (3, 14))
ROOMY_BYTES = 2_000_000_000


class Verdict(StrEnum):
    """How a look turned out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what would mend it."""

    what: str
    verdict: Verdict
    seen: str
    fix: str = ""


def examine(home: Home, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every look, in the order in which things stand on each other."""
    looks: dict[str, Callable[[Home, Mapping[str, str]], Finding]] = {
        "python": _python,
        "system": _system,
        "account": _account,
        "home": _home,
        "secrets": _secrets,
        "disk": _disk,
        "postgres": _postgres,
        "redis": _redis,
        "roles": _roles,
        "isolation": _isolation,
    }
    for what, look in looks.items():
        try:
            yield look(home, environ)
        except HostError as error:
            yield Finding(what, Verdict.FAIL, error.problem, error.fix)


def _python(_home: Home, _environ: Mapping[str, str]) -> Finding:
    first, last = PYTHONS
    seen = f"{platform.python_version()} at {sys.executable}"
    here = tuple(map(int, platform.python_version_tuple()[:2]))
    if first <= here <= last:
        return Finding("python", Verdict.OK, seen)
    return Finding("python", Verdict.FAIL, seen, f"use Python {first[1]} to {last[1]} of version 3")


def _system(_home: Home, _environ: Mapping[str, str]) -> Finding:
    seen = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if platform.system() == "Linux":
        return Finding("system", Verdict.OK, seen)
    return Finding(
        "system", Verdict.WARN, seen, "only Linux is tried; elsewhere sessions are less cut off"
    )


def _account(_home: Home, environ: Mapping[str, str]) -> Finding:
    account = server_account(environ)
    if account:
        return Finding("account", Verdict.OK, f"started by root; servers run as {account.name}")
    return Finding(
        "account",
        Verdict.WARN,
        "servers, nodes and sessions all run as the user who starts them",
        "as root, servers and sessions get accounts of their own",
    )


def _home(home: Home, _environ: Mapping[str, str]) -> Finding:
    home.prepare()
    runs = "the platform runs" if home.is_locked() else "the platform does not run"
    return Finding("home", Verdict.OK, f"{home.path}: {runs}")


def _secrets(home: Home, _environ: Mapping[str, str]) -> Finding:
    paths = [home.secrets, *home.secrets.iterdir()]
    exposed = [path.name for path in paths if S_IMODE(path.stat().st_mode) & 0o077]
    if exposed:
        fix = f"chmod -R go= {home.secrets}"
        return Finding("secrets", Verdict.FAIL, f"others may read {', '.join(exposed)}", fix)
    return Finding("secrets", Verdict.OK, f"{len(Secrets(home))} in {home.secrets}, mode 0600")


def _disk(home: Home, _environ: Mapping[str, str]) -> Finding:
    place = next(folder for folder in (home.data, *home.data.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    seen = f"{free / 1e9:.1f} GB free for {home.data}"
    if free > ROOMY_BYTES:
        return Finding("disk", Verdict.OK, seen)
    fix = "free some space, or move the home (AUTONOMY_HOME) to another disk"
    return Finding("disk", Verdict.WARN if free > NEEDED_BYTES else Verdict.FAIL, seen, fix)


def _postgres(home: Home, environ: Mapping[str, str]) -> Finding:
    uses = environment.known(home)
    url = uses.get("DATABASE_URL") if home.is_locked() else setting(environ, "DATABASE_URL")
    if url:
        return Finding("postgres", Verdict.OK, f"PostgreSQL {check_database(url)} answers")
    embedded = postgres_of(home, environ)
    return Finding("postgres", Verdict.OK, f"embedded, PostgreSQL {embedded.version}; not started")


def _redis(home: Home, environ: Mapping[str, str]) -> Finding:
    uses = environment.known(home)
    url = uses.get("REDIS_URL") if home.is_locked() else setting(environ, "REDIS_URL")
    if url:
        return Finding("redis", Verdict.OK, f"version {check_redis(url)} answers and never evicts")
    return Finding("redis", Verdict.OK, "embedded; not started")


def _roles(home: Home, _environ: Mapping[str, str]) -> Finding:
    if not home.is_locked():
        return Finding("roles", Verdict.OK, "looked at when the platform runs")
    found = excesses(environment.known(home))
    if found:
        return Finding(
            "roles", Verdict.FAIL, "; ".join(found), "`autonomy down`, then `autonomy up` mends it"
        )
    return Finding("roles", Verdict.OK, "no role may do more than it should")


def _isolation(_home: Home, environ: Mapping[str, str]) -> Finding:
    stranger = server_account(environ)  # sees of the checkout as little as sessions do
    found = isolation.detect([stranger.uid] if stranger else [])
    seen = f"level {told(found.level)}: {'; '.join(found.facts)}"
    if found.level == max(isolation.CONTAINED):
        return Finding("isolation", Verdict.OK, seen)
    fix = (
        "use a kernel with Landlock (5.13 or newer), and let this user, or this container, make "
        "namespaces and filter system calls; skills that need more than this level do not start"
    )
    return Finding("isolation", Verdict.WARN, seen, fix)
