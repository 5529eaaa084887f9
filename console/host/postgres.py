"""The embedded PostgreSQL: its data folder, and how to run it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGINT

from console.host.account import Account
from console.host.binaries import postgres_version
from console.host.errors import DiskFull, HomeUnusable, ServerUnavailable, WrongMajor
from console.host.home import Home, explained, private
from console.host.ports import LOOPBACK
from console.host.secrets import Secrets
from console.host.spawning import Process

DATABASE = "autonomy"
OWNER = "autonomy_owner"
NEEDED_BYTES = 200_000_000
"""A fresh data folder takes 40 MB, its log of changes grows from there."""

# For a box of 4 GB that runs everything else too.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
SINCE = {"io_method": 18}


@dataclass(frozen=True)
class Postgres:
    """A private PostgreSQL of one home."""

    home: Home
    bin: Path
    secrets: Secrets
    account: Account | None = None
    durable: bool = True
    """Whether what was committed survives a loss of power; only tests do without."""

    name = "postgres"
    wanted_ports = ()

    @cached_property
    def version(self) -> str:
        """The version of the programs, such as 18.6."""
        return postgres_version(self.bin)

    @property
    def major(self) -> int:
        """What a data folder belongs to."""
        return int(self.version.partition(".")[0])

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.home.data / self.name

    def prepare(self) -> None:
        """Make the data folder, or make sure that this version can read the one there is."""
        with explained(self.home.data):
            private(self.home.data, 0o755)
            self._prepare_sockets()
            if self.folder.exists():
                self._check_major()
            else:
                self._create()

    def process(self, port: int) -> Process:
        """How to run it on that port."""
        known = {name: SETTINGS[name] for name in SETTINGS if SINCE.get(name, 0) <= self.major}
        settings = known | {
            "port": str(port),
            "unix_socket_directories": str(self.home.sockets),
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Process(
            name=self.name,
            command=(str(self.bin / "postgres"), "-D", str(self.folder), *flags),
            environment={"LC_ALL": "C"},
            account=self.account,
            stop_signal=SIGINT,  # "fast": ends sessions, loses nothing
            is_ready=self._is_ready,
        )

    def pid(self) -> int | None:
        """The process that a running or killed server noted in the data folder."""
        lines = self._noted()
        return int(lines[0]) if lines else None

    def _is_ready(self, pid: int) -> bool:
        noted = self._noted()
        return len(noted) > 7 and int(noted[0]) == pid and noted[7].strip() == "ready"

    def _noted(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _prepare_sockets(self) -> None:
        folder = self.home.sockets
        private(folder, 0o700)
        if self.account:
            self.account.own(folder, 0o755)
        elif not _is_mine(folder):
            raise HomeUnusable(
                f"{folder} belongs to someone else, and the home is too long a path for a socket",
                "set AUTONOMY_HOME to a shorter path",
            )

    def _check_major(self) -> None:
        noted = self.folder / "PG_VERSION"
        theirs = noted.read_text().strip() if noted.exists() else ""
        if not theirs.isdecimal():
            raise ServerUnavailable(
                f"{self.folder} is no whole data folder of PostgreSQL: {noted.name} is missing",
                "bring the folder back from a backup, or move it aside to begin with an empty one",
            )
        if theirs != str(self.major):
            raise WrongMajor(
                f"{self.folder} was made by PostgreSQL {theirs}; this is PostgreSQL {self.major}",
                f"start PostgreSQL {theirs} on that folder and name it in DATABASE_URL, as {OWNER} "
                f"with the password in {self.home.secrets / 'owner.password'}; or bring the folder "
                f"over with `pg_upgrade`; or move it aside to begin with an empty one",
            )

    def _create(self) -> None:
        """Make the cluster, the owner and the database aside, then put them in place at once."""
        if shutil.disk_usage(self.home.data).free < NEEDED_BYTES:
            raise DiskFull(
                f"{self.home.data} has less than {NEEDED_BYTES // 1_000_000} MB of free disk",
                "free some space, or set AUTONOMY_HOME to a folder on another disk",
            )
        fresh = self.folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=not fresh.exists())
        self._make_folder(fresh)
        self._initdb(fresh)
        self._run("postgres", "--single", "-D", str(fresh), *_SINGLE, sql=self._owner_sql())
        fresh.rename(self.folder)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self.account:
            self.account.own(folder, 0o700)

    def _initdb(self, folder: Path) -> None:
        password = self.home.data / "initdb.password"
        password.touch(mode=0o600)
        if self.account:
            self.account.own(password, 0o600)
        password.write_text(self.secrets["postgres.password"])
        try:
            extra = () if self.durable else ("--no-sync",)
            # From 17 on independent of the locales that the operating system has.
            locale = ("--locale-provider=builtin",) if self.major >= 17 else ()
            flags = (*_INITDB, *locale, *extra)
            self._run("initdb", "-D", str(folder), f"--pwfile={password}", *flags)
        finally:
            password.unlink()

    def _owner_sql(self) -> str:
        login = f"LOGIN CREATEROLE CREATEDB PASSWORD '{self.secrets['owner.password']}'"
        return f"CREATE ROLE {OWNER} {login}\nCREATE DATABASE {DATABASE} OWNER {OWNER}\n"

    def _run(self, program: str, *arguments: str, sql: str = "") -> None:
        who = self.account
        done = subprocess.run(  # noqa: S603
            [str(self.bin / program), *arguments],
            input=sql,
            text=True,
            env={"LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home.data,
            timeout=120,
            check=False,
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
        )
        if done.returncode != 0:
            raise _failed(program, done.stdout, self.home.data)


_INITDB = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
)
_SINGLE = ("-c", "exit_on_error=on", "postgres")


def _failed(program: str, output: str, folder: Path) -> ServerUnavailable | DiskFull:
    if "No space left on device" in output:
        return DiskFull(
            f"no room is left on the disk of {folder}",
            "free some space, or set AUTONOMY_HOME to a folder on another disk",
        )
    last = "\n".join(output.strip().splitlines()[-3:])
    return ServerUnavailable(
        f"`{program}` of the embedded PostgreSQL failed: {last}",
        "see `autonomy doctor`, or set DATABASE_URL to a PostgreSQL of yours",
    )


def _is_mine(folder: Path) -> bool:
    there = folder.lstat()
    return there.st_uid == os.geteuid() and not there.st_mode & 0o077
