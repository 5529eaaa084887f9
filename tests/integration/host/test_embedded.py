"""The servers that come in wheels: private, kept, and refused when they would lose something."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import OperationalError
from redis import Redis
from redis.exceptions import AuthenticationError

from console.host.account import server_account
from console.host.embedded import postgres_of, servers, valkey_of
from console.host.errors import (
    DiskFull,
    HomeUnusable,
    ServerUnavailable,
    SettingRefused,
    WrongMajor,
)
from console.host.home import SOCKET_PATH_LIMIT, Home
from console.host.logs import Logs
from console.host.ports import KeptPorts
from console.host.postgres import OWNER
from console.host.secrets import NAMES, Secrets
from console.host.serving import listens, start
from console.host.spawning import end, wait_until
from console.host.urls import with_login

Environ = dict[str, str]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change accounts and mount")


def test_servers_start_again_on_the_same_ports_with_the_same_data(
    home: Home, environ: Environ
) -> None:
    with servers(home, environ, durable=False) as first:
        _ask(first, "CREATE TABLE kept AS SELECT 7 AS value")

    with servers(home, environ, durable=False) as second:
        assert _ask(second, "SELECT value FROM kept") == [(7,)]

    assert first == second


def test_nobody_signs_in_without_the_password(home: Home, environ: Environ) -> None:
    with servers(home, environ, durable=False) as urls:
        for user in (OWNER, "postgres"):
            with pytest.raises(OperationalError, match="password authentication failed"):
                psycopg.connect(with_login(urls["DATABASE_URL"], user, "guess"))
        with pytest.raises(AuthenticationError), Redis.from_url(_guess(urls)) as stranger:
            stranger.ping()


def test_what_is_committed_is_on_disk_and_redis_never_evicts(home: Home, environ: Environ) -> None:
    with servers(home, environ) as urls:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert _ask(urls, f"SHOW {setting}") == [("on",)]
        with Redis.from_url(urls["REDIS_URL"], decode_responses=True) as redis:
            assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_port_that_someone_took_meanwhile_is_left_to_them(
    home: Home, environ: Environ, logs: Logs
) -> None:
    ports = KeptPorts(home.run / "ports.json")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = ports.keep("valkey", stranger.getsockname()[1])

        [started] = start([valkey_of(home, environ)], ports, logs)

        end(started.child, signal.SIGTERM, seconds=5)
    assert started.port != taken
    assert ports["valkey"] == started.port


def test_a_data_folder_of_another_major_is_refused_with_the_way_over(
    home: Home, environ: Environ
) -> None:
    server = postgres_of(home, environ)
    server.folder.mkdir(parents=True)
    (server.folder / "PG_VERSION").write_text("17\n")

    with pytest.raises(WrongMajor) as refused:
        server.prepare()

    assert "PostgreSQL 17" in refused.value.problem
    assert "PostgreSQL 18" in refused.value.problem
    assert "DATABASE_URL" in refused.value.fix
    assert "pg_upgrade" in refused.value.fix


@pytest.mark.parametrize("noted", ["", None])
def test_a_data_folder_that_is_not_whole_is_refused_and_kept(
    home: Home, environ: Environ, noted: str | None
) -> None:
    server = postgres_of(home, environ)
    server.folder.mkdir(parents=True)
    if noted is not None:
        (server.folder / "PG_VERSION").write_text(noted)

    with pytest.raises(ServerUnavailable, match="no whole data folder") as refused:
        server.prepare()

    assert "backup" in refused.value.fix
    assert server.folder.exists()


def test_a_first_start_that_was_cut_short_is_begun_again(home: Home, environ: Environ) -> None:
    server = postgres_of(home, environ, durable=False)
    half = server.folder.with_suffix(".new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    server.prepare()

    assert (server.folder / "global").is_dir()
    assert not half.exists()


def test_postgresql_ends_when_whoever_started_it_is_killed(home: Home, environ: Environ) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(home.path)], env=environ, stdout=subprocess.PIPE
    )
    assert starter.stdout
    assert starter.stdout.readline() == b"up\n"
    pid = postgres_of(home, environ).pid()
    assert pid

    starter.kill()
    starter.communicate(timeout=5)

    assert wait_until(lambda: not Path(f"/proc/{pid}").exists(), seconds=10)


def test_secrets_are_made_once_and_are_their_owners_alone(home: Home) -> None:
    before = dict(Secrets(home))

    Secrets(home).make()

    assert dict(Secrets(home)) == before
    assert set(before) == set(NAMES)
    assert len(set(before.values())) == len(NAMES)
    assert S_IMODE(home.secrets.stat().st_mode) == 0o700
    assert {S_IMODE(file.stat().st_mode) for file in home.secrets.iterdir()} == {0o600}


def test_the_first_password_is_shown_a_single_time(home: Home) -> None:
    secrets = Secrets(home)

    assert secrets.first_password() == secrets["operator.password"]
    assert secrets.first_password() is None


def test_a_long_path_of_a_home_still_gives_a_socket(tmp_path: Path) -> None:
    long = Home(tmp_path / ("x" * 120))

    assert len(str(long.sockets / ".s.PGSQL.54321.lock")) < SOCKET_PATH_LIMIT


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(HomeUnusable, match="cannot be used") as refused:
        Home(tmp_path / "file" / "home").prepare()

    assert "AUTONOMY_HOME" in refused.value.fix


def test_another_postgresql_can_be_named_by_its_programs(home: Home, environ: Environ) -> None:
    oldest = min(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if oldest is None:
        pytest.skip("no PostgreSQL of the system (apt install postgresql)")
    own = environ | {"AUTONOMY_POSTGRES_BIN": str(oldest)}

    with servers(home, own, durable=False) as urls:
        [(version,)] = _ask(urls, "SHOW server_version_num")

    assert version.startswith(oldest.parent.name)


def test_programs_that_are_not_there_are_named(home: Home, environ: Environ) -> None:
    with pytest.raises(SettingRefused, match="AUTONOMY_POSTGRES_BIN"):
        postgres_of(home, environ | {"AUTONOMY_POSTGRES_BIN": "/no/such/folder"})


@as_root
def test_a_full_disk_is_named_with_the_way_out(tmp_path: Path) -> None:
    with _small_disk(tmp_path) as disk:
        with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(b"x" * 4096):
                pass

        with pytest.raises(DiskFull, match="no room is left") as refused:
            Home(disk / "home").prepare()

    assert "free some space" in refused.value.fix


@as_root
def test_as_root_servers_run_under_an_unprivileged_account_and_leave_others_files_alone(
    home: Home, environ: Environ
) -> None:
    account = server_account(environ)
    assert account
    before = _modes(Path.home(), home.path)

    with servers(home, environ, durable=False):
        pid = postgres_of(home, environ).pid()
        assert Path(f"/proc/{pid}").stat().st_uid == account.uid != 0
        assert _modes(Path.home(), home.path) == before


@as_root
@pytest.mark.parametrize("name", ["nobody", "root", "no-such-account"])
def test_an_account_that_would_not_do_is_refused(environ: Environ, name: str) -> None:
    with pytest.raises(SettingRefused, match=name) as refused:
        server_account(environ | {"AUTONOMY_SERVER_USER": name})

    assert "AUTONOMY_SERVER_USER" in refused.value.fix


def _ask(urls: dict[str, str], statement: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _guess(urls: dict[str, str]) -> str:
    return with_login(urls["REDIS_URL"], "", "guess")


def _modes(*paths: Path) -> list[int]:
    return [S_IMODE(path.stat().st_mode) for path in paths]


_STARTER = """
import os, sys, time
from pathlib import Path
from console.host.embedded import servers
from console.host.home import Home

with servers(Home(Path(sys.argv[1])), os.environ, durable=False):
    print("up", flush=True)
    time.sleep(60)
"""


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this root may not mount (run outside of a container)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_process_that_has_just_ended_listens_nowhere() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert not listens(child.pid, 1)
