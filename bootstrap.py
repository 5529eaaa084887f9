#!/usr/bin/env python3
"""Makes the environment of the checkout from its lock: `python3 bootstrap.py`.

Needs Python 3.11 or newer with pip, or uv, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
TOOLS = CHECKOUT / ".bootstrap"
REQUIREMENT = CHECKOUT / "bootstrap.txt"
LINK = CHECKOUT / ".venv"
SYSTEM = Path("/var/lib/autonomy")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

OLDEST, NEWEST = (3, 11), (3, 14)
_FACTS = (
    "import json, sys; "
    "print(json.dumps([sys.executable, sys.base_prefix, list(sys.version_info[:3])]))"
)
_DAEMON = 1


class Interpreter:
    """A Python on this machine."""

    def __init__(self, command: str) -> None:
        answer = _answer([command, "-I", "-c", _FACTS])
        executable, prefix, version = json.loads(answer or '["", "", [0]]')
        self.executable = Path(executable).resolve()
        self.prefix = Path(prefix)
        self.version = tuple(version)

    @property
    def fits(self) -> bool:
        """Whether the platform runs on it."""
        return OLDEST <= self.version[:2] <= NEWEST

    @property
    def open_to_all(self) -> bool:
        """Whether the accounts that servers and sessions get can run it."""
        return all(map(passable, (self.executable, self.prefix / "lib")))


def main() -> None:
    """Find an interpreter and uv, and make the environment."""
    os.umask(0o022)
    interpreter = choose()
    uv = find_uv() or install_uv(interpreter)
    place = environment()
    if not (place / "pyvenv.cfg").exists():
        print("making the environment from uv.lock, once; this takes seconds to minutes")
    command = [uv, "sync", "--frozen", "--compile-bytecode", "--quiet"]
    if interpreter:
        command += ["--python", str(interpreter.executable)]
    if CERTIFICATES.exists():
        command += ["--system-certs"]  # as Debian's pip does
    variables = {"UV_PROJECT_ENVIRONMENT": str(place), "VIRTUAL_ENV": ""}
    code = subprocess.run(command, cwd=CHECKOUT, env={**os.environ, **variables}, check=False)
    if code.returncode:
        sys.exit(f"the environment could not be made (uv ended with {code.returncode})")
    if place != LINK:
        _link(place)


def choose() -> Interpreter | None:
    """The interpreter to build on; None leaves the choice to uv."""
    found = [one for one in map(Interpreter, _candidates()) if one.fits]
    if not found:
        if find_uv():
            return None
        sys.exit("Python 3.11 or newer is needed, with pip: `apt install python3 python3-pip`")
    if os.geteuid() != 0:
        return found[0]
    # As root, servers and sessions run under accounts that cannot look into root's home.
    return next((one for one in found if one.open_to_all), None) or copied(found[0])


def copied(interpreter: Interpreter) -> Interpreter:
    """A copy of an interpreter that only root can reach, where everyone can."""
    version = ".".join(map(str, interpreter.version))
    target = SYSTEM / f"python-{version}"
    if not target.exists():
        print(f"copying Python {version} to {target}, where sessions can run it")
        fresh = SYSTEM / f".python-{version}.{os.getpid()}"
        shutil.copytree(interpreter.prefix, fresh, symlinks=True, ignore=_left_out)
        _look_beside(fresh / "bin" / interpreter.executable.name, interpreter.prefix / "lib")
        open_tree(fresh)
        fresh.rename(target)
    copy = target / "bin" / interpreter.executable.name
    seen = _answer([str(copy), "-I", "-c", _FACTS], environment={}, account=_DAEMON)
    if not seen or Path(json.loads(seen)[1]) != target:
        sys.exit(
            f"{interpreter.executable} is out of reach for the accounts of servers and sessions, "
            f"and does not run elsewhere; install one for all: `apt install python3`"
        )
    return Interpreter(str(copy))


def find_uv() -> str | None:
    """A uv that reads the lock: the one made here, or one on the PATH."""
    wanted = _version(REQUIREMENT.read_text().partition("uv==")[2].split()[0])
    for command in (str(TOOLS / "bin" / "uv"), shutil.which("uv") or ""):
        answer = _answer([command, "--version"]).split() if command else []
        if len(answer) > 1 and wanted <= _version(answer[1]) and answer[1].startswith("0.13."):
            return command
    return None


def install_uv(interpreter: Interpreter | None) -> str:
    """Install the pinned uv, its hash checked, into a folder of the checkout."""
    python = str(interpreter.executable) if interpreter else sys.executable
    target = ["--target", str(TOOLS), "--upgrade", "--no-deps", "--require-hashes"]
    quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"]
    done = subprocess.run(
        [python, "-m", "pip", "install", *quiet, *target, "-r", str(REQUIREMENT)], check=False
    )
    uv = TOOLS / "bin" / "uv"
    if done.returncode or not uv.exists():
        sys.exit("uv could not be installed; pip is needed: `apt install python3-pip`")
    return str(uv)


def environment() -> Path:
    """Where the environment goes: for root to a place that the accounts of sessions can read."""
    if os.geteuid() != 0 or (LINK.is_dir() and not LINK.is_symlink() and passable(LINK)):
        return LINK
    return SYSTEM / f"env-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]}"


def passable(path: Path) -> bool:
    """Whether every account can reach and read the path."""
    if not path.exists() or path.stat().st_mode & 0o004 == 0:
        return False
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def open_tree(folder: Path) -> None:
    """Let every account read what is below."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _link(place: Path) -> None:
    """Have `.venv` lead to the environment."""
    open_tree(place)
    if LINK.is_dir() and not LINK.is_symlink():
        shutil.rmtree(LINK)  # made by hand where sessions cannot read it; all of it is in the lock
    fresh = LINK.with_name(f".venv.{os.getpid()}")
    fresh.symlink_to(place)
    fresh.replace(LINK)


def _candidates() -> list[str]:
    """Commands that may be an interpreter: the one that runs this first."""
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))]
    folders = ["", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    found = (shutil.which(name, path=folder or None) for folder in folders for name in names)
    return list(dict.fromkeys([sys.executable, *filter(None, found)]))


def _look_beside(program: Path, library: Path) -> None:
    """Have a program look for its libraries beside itself instead of where it was built for."""
    before = str(library).encode()
    after = b"$ORIGIN/../lib".ljust(len(before), b"\0")
    content = program.read_bytes()
    if len(after) == len(before) and content.count(b"\0" + before + b"\0") == 1:
        program.write_bytes(content.replace(b"\0" + before + b"\0", b"\0" + after + b"\0"))


def _answer(
    command: list[str], environment: dict[str, str] | None = None, account: int | None = None
) -> str:
    """What the command prints; nothing when it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=environment,
            user=account,
            group=account,
            extra_groups=None if account is None else [],
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # it is no such program
    return done.stdout if done.returncode == 0 else ""


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _left_out(_folder: str, names: list[str]) -> set[str]:
    """What a copied interpreter does without: what others installed into it, and its tests."""
    return {name for name in names if name in {"site-packages", "test", "__pycache__"}}


if __name__ == "__main__":
    main()
