"""Which servers an installation uses, and as whom: given by settings, or embedded."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from console.host.embedded import owner_url, redis_url
from console.host.errors import SettingRefused
from console.host.secrets import Secrets
from console.host.urls import database_of, refuse_malformed, with_login

KINDS = ("app", "reader", "verifier")
_LONGEST_PREFIX = 50  # of the 63 bytes a name may have

ROLE_SETTINGS = {kind: f"AUTONOMY_{kind.upper()}_URL" for kind in KINDS}


@dataclass(frozen=True)
class Connections:
    """The URLs of an installation, by role."""

    owner: str
    app: str
    reader: str
    verifier: str
    redis: str

    def settings(self) -> dict[str, str]:
        """What every process of the platform is given: no owner among them."""
        return {
            "DATABASE_URL": self.app,
            ROLE_SETTINGS["reader"]: self.reader,
            ROLE_SETTINGS["verifier"]: self.verifier,
            "REDIS_URL": self.redis,
        }

    def roles(self) -> dict[str, str]:
        """The URL of each kind of role that set-up grants rights to."""
        return {kind: asdict(self)[kind] for kind in KINDS}


def role_name(database: str, kind: str) -> str:
    """The name of a role, so that installations can share a server."""
    if len(database.encode()) > _LONGEST_PREFIX:
        digest = hashlib.sha256(database.encode()).hexdigest()[:8]
        database = f"{database[:30]}_{digest}"
    return f"{database}_{kind}"


def setting(environ: Mapping[str, str], name: str) -> str:
    """A setting, or what stands in the file that `NAME_FILE` names."""
    if file := environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise SettingRefused(
                f"{name}_FILE={file} cannot be read: {error.strerror}",
                f"name a readable file, or set {name} itself",
            ) from None
    return environ.get(name, "")


def given_roles(environ: Mapping[str, str]) -> dict[str, str]:
    """The roles that settings name; set-up makes the others."""
    named = {kind: setting(environ, name) for kind, name in ROLE_SETTINGS.items()}
    given = {kind: url for kind, url in named.items() if url}
    for kind, url in given.items():
        refuse_malformed(ROLE_SETTINGS[kind], url)
    return given


def connect(
    environ: Mapping[str, str],
    secrets: Secrets,
    *,
    postgres_port: int | None,
    valkey_port: int | None,
) -> Connections:
    """The URLs to use; a port is that of an embedded server."""
    owner = setting(environ, "DATABASE_URL")
    if postgres_port:
        owner = owner_url(secrets, postgres_port)
    refuse_malformed("DATABASE_URL", owner)
    redis = setting(environ, "REDIS_URL")
    if valkey_port:
        redis = redis_url(secrets, valkey_port)
    roles = {
        kind: with_login(owner, role_name(database_of(owner), kind), secrets[f"{kind}.password"])
        for kind in KINDS
    }
    return Connections(owner=owner, redis=redis, **(roles | given_roles(environ)))
