"""The unprivileged account servers run under when the platform is started as root."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.host.errors import SettingRefused

SETTING = "AUTONOMY_SERVER_USER"
PREFERRED = ("autonomy", "daemon")


@dataclass(frozen=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path, mode: int) -> None:
        """Give the path to the account."""
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def server_account(environ: Mapping[str, str]) -> Account | None:
    """Who the servers run as; None for an ordinary user, who runs them as himself."""
    if os.geteuid() != 0:
        return None
    if wanted := environ.get(SETTING):
        return _named(wanted)
    for name in PREFERRED:
        if account := _find(name):
            return account
    raise SettingRefused(
        "PostgreSQL refuses to run as root, and there is no account `autonomy` or `daemon`",
        f"set {SETTING} to an unprivileged account of this machine",
    )


def _named(name: str) -> Account:
    fix = f"set {SETTING} to an unprivileged account that exists, or unset it to use `daemon`"
    account = _find(name)
    if account is None:
        raise SettingRefused(f"{SETTING}={name}: this machine has no such account", fix)
    if account.uid == 0:
        raise SettingRefused(f"{SETTING}={name} is root, as which no server may run", fix)
    if name == "nobody":
        # Others on the machine run what they trust least as nobody.
        raise SettingRefused(f"{SETTING}=nobody shares that account with strangers", fix)
    return account


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid)
