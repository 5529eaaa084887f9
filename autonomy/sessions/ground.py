"""What every session may read: the system's programs, the interpreter, and the loaded modules."""

import stat
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import autonomy

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store")
_HARDWARE = ("/sys/devices/system/cpu",)
_CONFIGURATION = tuple(
    f"/etc/{name}"
    for name in (
        *("passwd", "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf", "gai.conf"),
        *("services", "protocols", "networks", "mime.types", "magic", "shells", "os-release"),
        *("localtime", "timezone", "locale.alias", "locale.conf", "debian_version"),
        *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "terminfo"),
        *("ssl/certs", "ssl/openssl.cnf", "ca-certificates", "pki/tls/certs", "crypto-policies"),
        *("pki/ca-trust", "python3", "python3.11", "perl", "gitconfig"),
    )
)
DEVICES = tuple(Path(f"/dev/{name}") for name in ("null", "zero", "full", "random", "urandom"))


_PLATFORM = ("config", "console", "heartbeats", "autonomy", "connectors", "firewall", "ledger")


def code(folders: Iterable[Path]) -> list[Path]:
    """What runs outside of sessions: whoever could write it would be more than a session."""
    root = Path(autonomy.__file__).parent.parent
    installed = Path(sysconfig.get_paths()["purelib"])
    return _outermost([*folders, installed, *(root / name for name in _PLATFORM)])


def open_to_all(folder: Path) -> list[Path]:
    """The modules of a folder, and the folders they are in, that everybody may change."""
    modules = [path for path in folder.rglob("*.py") if not path.is_symlink()]
    places = {folder, *modules, *(path.parent for path in modules)}
    return sorted(path for path in places if path.stat().st_mode & stat.S_IWOTH)


def readable(folders: Iterable[Path]) -> list[Path]:
    """Programs, libraries, the interpreter with its environment, and what was loaded."""
    system = [Path(path) for path in (*_SYSTEM, *_HARDWARE, *_CONFIGURATION)]
    return _outermost([*system, *interpreter(), *_loaded(), *folders])


def interpreter() -> list[Path]:
    """The interpreter and the environment it runs in."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return [*map(Path, sorted(prefixes)), Path(sys.executable).resolve().parent]


def _loaded() -> list[Path]:
    """Folders of the packages in memory, and single modules; never a whole search path."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file:
            alone = "." not in name and not hasattr(module, "__path__")
            found.append(Path(file) if alone else Path(file).parent)
    return found


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """The paths that exist, without those inside another one."""
    kept: list[Path] = []
    for path in sorted({path.resolve() for path in paths if path.exists()}):
        if not any(path.is_relative_to(outer) for outer in kept):
            kept.append(path)
    return kept
