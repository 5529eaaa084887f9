"""The whole platform under its supervisor: it starts, stays up, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest
from redis import Redis

from console.host import environment, lifecycle, state
from console.host.connections import role_name
from console.host.doctor import Verdict, examine
from console.host.embedded import redis_url, valkey_of
from console.host.errors import (
    AlreadyRunning,
    EvictingRedis,
    NotRunning,
    SecretChanged,
    SettingRefused,
)
from console.host.home import Home
from console.host.identity import Identity
from console.host.logs import Logs
from console.host.ports import KeptPorts
from console.host.secrets import Secrets
from console.host.serving import start
from console.host.spawning import end, wait_until
from console.host.state import Running, State
from console.host.urls import database_of
from console.host.usage import measure
from tests.integration.host.conftest import fresh_home

Environ = dict[str, str]

NAMES = {"postgres", "valkey", "engine", "beat", "n1", "flower", "web"}


@pytest.fixture(scope="module")
def settings(environ: Environ) -> Environ:
    """One node is enough here."""
    return environ | {"AUTONOMY_NODES": "n1"}


@pytest.fixture(scope="module")
def platform(settings: Environ) -> Iterator[Home]:
    """A platform that runs for all tests of this file."""
    with fresh_home() as home:
        lifecycle.start_detached(home, settings)
        yield home
        if home.is_locked():
            lifecycle.stop(home)


def process(home: Home, name: str) -> Running:
    """The process of that name as it runs now."""
    return next(one for one in lifecycle.current(home).processes if one.name == name)


def is_back(home: Home, before: Running) -> bool:
    """Whether it was started again."""
    now = [one for one in lifecycle.current(home).processes if one.name == before.name]
    return bool(now) and now[0].identity != before.identity and now[0].identity.alive()


def kill(running: Running) -> None:
    assert running.identity.alive()
    os.kill(running.identity.pid, signal.SIGKILL)


def ask(home: Home, statement: str, setting: str = "DATABASE_URL") -> object:
    with psycopg.connect(environment.known(home)[setting], connect_timeout=5) as connection:
        row = connection.execute(statement).fetchone()
        return row and row[0]


def test_everything_runs_and_the_console_answers(platform: Home) -> None:
    found = lifecycle.current(platform)

    assert {one.name for one in found.processes} == NAMES
    with urlopen(found.urls["console"] + "admin/login/", timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


def test_no_process_of_the_platform_holds_the_owners_password(platform: Home) -> None:
    owner = Secrets(platform)["owner.password"]
    for one in lifecycle.current(platform).processes:
        variables = psutil.Process(one.identity.pid).environ()
        assert not any(owner in value for value in variables.values()), one.name

    assert ask(platform, "SELECT current_user") == "autonomy_app"
    assert ask(platform, "SELECT current_user", "AUTONOMY_READER_URL") == "autonomy_reader"
    assert ask(platform, "SELECT current_user", "AUTONOMY_VERIFIER_URL") == "autonomy_verifier"


def test_flower_is_given_the_broker_and_no_other_secret(platform: Home) -> None:
    variables = psutil.Process(process(platform, "flower").identity.pid).environ()

    assert "REDIS_URL" in variables
    assert not {"DATABASE_URL", "SECRET_KEY", "AUTONOMY_READER_URL"} & set(variables)


def test_no_command_line_shows_a_secret(platform: Home) -> None:
    secrets = set(Secrets(platform).values())

    for one in lifecycle.current(platform).processes:
        shown = psutil.Process(one.identity.pid).cmdline()
        assert not any(secret in part for part in shown for secret in secrets)


def test_the_doctor_finds_nothing_wrong_while_it_runs(platform: Home, settings: Environ) -> None:
    findings = list(examine(platform, settings))

    assert [finding for finding in findings if finding.verdict is Verdict.FAIL] == []
    assert {"postgres", "redis", "roles", "isolation"} <= {finding.what for finding in findings}


def test_usage_covers_every_process_with_what_it_has_begun(platform: Home) -> None:
    rows = measure(lifecycle.current(platform), seconds=0.2)

    assert {row.name for row in rows} == NAMES | {"supervisor"}
    assert all(row.pss_bytes > 1_000_000 for row in rows)
    assert next(row for row in rows if row.name == "postgres").processes > 3


def test_a_second_start_on_the_same_home_is_refused(platform: Home, settings: Environ) -> None:
    with pytest.raises(AlreadyRunning, match="already runs"):
        lifecycle.start_detached(platform, settings)


def test_a_home_that_runs_already_is_joined_and_left_running(platform: Home) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTONOMY_HOME", str(platform.path))
        with lifecycle.running(platform.path) as joined:
            assert not joined.ours
            assert os.environ["DATABASE_URL"] == environment.known(platform)["DATABASE_URL"]
        restore(patch)

    assert platform.is_locked()


def restore(patch: pytest.MonkeyPatch) -> None:
    """Take back the environment that `running` has put into this process."""
    for name, value in environment.given().items():
        os.environ[name] = value
    os.environ.pop(environment.LOADED, None)


def test_joining_without_the_skills_one_needs_is_refused(platform: Home, tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning, match=str(tmp_path)):
        lifecycle.attach(platform, [tmp_path])


@pytest.mark.parametrize("name", ["engine", "beat", "n1", "web", "flower"])
def test_a_killed_process_is_started_again(platform: Home, name: str) -> None:
    before = process(platform, name)

    kill(before)

    assert wait_until(lambda: is_back(platform, before), seconds=20)
    assert process(platform, name).deaths == before.deaths + 1


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_killed_server_comes_back_on_its_port_with_its_data(platform: Home, name: str) -> None:
    users = ask(platform, "SELECT count(*) FROM auth_user")
    ports = KeptPorts(platform.run / "ports.json")[name]
    before = process(platform, name)

    kill(before)

    assert wait_until(lambda: is_back(platform, before), seconds=20)
    assert KeptPorts(platform.run / "ports.json")[name] == ports
    assert wait_until(lambda: answers(platform), seconds=20)
    assert ask(platform, "SELECT count(*) FROM auth_user") == users


def answers(home: Home) -> bool:
    """Whether the database does."""
    try:
        return ask(home, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def test_what_a_dead_node_leaves_behind_is_ended(platform: Home) -> None:
    before = process(platform, "n1")
    assert wait_until(lambda: bool(descendants(before)), seconds=20)
    begun = descendants(before)

    kill(before)

    assert wait_until(lambda: not any(one.is_running() for one in begun), seconds=15)
    assert wait_until(lambda: is_back(platform, before), seconds=20)


def descendants(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.identity.pid).children(recursive=True)


def test_a_killed_supervisor_takes_everything_with_it_and_the_next_start_goes_on(
    platform: Home, settings: Environ
) -> None:
    found = lifecycle.current(platform)

    os.kill(found.supervisor.pid, signal.SIGKILL)

    gone = [one.identity for one in found.processes]
    assert wait_until(lambda: not any(one.alive() for one in gone), seconds=25)
    again = lifecycle.start_detached(platform, settings)
    assert again.urls == found.urls
    assert ask(platform, "SELECT count(*) FROM auth_user WHERE username = 'operator'") == 1


def test_what_was_noted_of_a_dead_run_and_still_lives_is_ended_by_the_next(
    platform: Home, settings: Environ
) -> None:
    lifecycle.stop(platform)
    last = state.read(platform)
    assert last
    orphan, bystander = (psutil.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    noted = Identity.of(orphan.pid, ("sleep", "600"))
    reused = Identity(bystander.pid, bystander.create_time() - 3600, ("sleep", "600"))
    assert noted
    processes = (Running("n1", noted), Running("web", reused))
    replace(last, processes=processes).write(platform)

    lifecycle.start_detached(platform, settings)

    assert orphan.wait(5) != 0
    assert bystander.is_running()
    bystander.kill()
    bystander.wait(5)


def test_another_secret_key_is_refused_before_anything_is_changed(
    platform: Home, settings: Environ
) -> None:
    lifecycle.stop(platform)

    with pytest.raises(SecretChanged, match="set up with"):
        lifecycle.start_detached(platform, settings | {"SECRET_KEY": "another one" * 5})

    assert not platform.is_locked()
    lifecycle.start_detached(platform, settings)


def test_down_ends_all_within_twenty_seconds_and_says_when_there_is_nothing(
    platform: Home,
) -> None:
    found = lifecycle.current(platform)

    lifecycle.stop(platform)

    assert not any(one.identity.alive() for one in found.processes)
    assert not any(one.identity.left_behind() for one in found.processes)
    assert "did not end in time" not in (platform.logs / "supervisor.log").read_text()
    with pytest.raises(NotRunning):
        lifecycle.stop(platform)
    with pytest.raises(NotRunning):
        lifecycle.current(platform)


_BLOCK = """
import sys, time
from pathlib import Path
from console.host.lifecycle import running

with running(Path(sys.argv[1])) as platform:
    print(platform.ours, flush=True)
    time.sleep(0 if "briefly" in sys.argv else 600)
"""


@pytest.mark.parametrize("how", ["briefly", "killed"])
def test_a_platform_for_a_block_ends_with_it_however_it_ends(
    platform: Home, settings: Environ, how: str
) -> None:
    command = [sys.executable, "-c", _BLOCK, str(platform.path), how]
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as block:
        assert block.stdout
        assert block.stdout.readline() == "True\n"
        if how == "killed":
            assert platform.is_locked()
            block.kill()

    assert wait_until(lambda: not platform.is_locked(), seconds=25)
    last = state.read(platform)
    assert last
    assert not any(one.identity.alive() for one in last.processes)


def test_servers_that_settings_name_are_used_and_none_is_started(
    settings: Environ, database: Callable[[], str]
) -> None:
    owner = database()
    given = settings | {"DATABASE_URL": owner, "REDIS_URL": os.environ["REDIS_URL"]}
    with fresh_home() as home:
        found = lifecycle.start_detached(home, given)
        try:
            assert {one.name for one in found.processes} == NAMES - {"postgres", "valkey"}
            assert ask(home, "SELECT current_user") == role_name(database_of(owner), "app")
            assert not home.data.exists() or not list(home.data.glob("postgres*"))
        finally:
            lifecycle.stop(home)


def test_a_redis_that_evicts_stops_the_start(
    settings: Environ, home: Home, logs: Logs, environ: Environ
) -> None:
    [valkey] = start([valkey_of(home, environ)], KeptPorts(home.run / "ports.json"), logs)
    url = redis_url(Secrets(home), valkey.port)
    try:
        with Redis.from_url(url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        with fresh_home() as other, pytest.raises(EvictingRedis):
            lifecycle.start_detached(other, settings | {"REDIS_URL": url})
    finally:
        end(valkey.child, valkey.process.stop_signal, seconds=5)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"AUTONOMY_PORT": "eighty"}, "AUTONOMY_PORT"),
        ({"AUTONOMY_NODES": "n1,N 2"}, "AUTONOMY_NODES"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    environ: Environ, wrong: Environ, named: str
) -> None:
    with fresh_home() as home:
        with pytest.raises(SettingRefused, match=named):
            lifecycle.start_detached(home, environ | wrong)
        assert not home.is_locked()
        noted = state.read(home)
        assert noted is None or not any(one.identity.alive() for one in noted.processes)


def test_the_state_reads_back_as_it_was_written(home: Home) -> None:
    identity = Identity(1, 2.5, ("a", "b"))
    written = State(identity, 3.5, (Running("n1", identity, 2),), ("/s",), {"console": "u"})

    written.write(home)

    assert state.read(home) == written
    assert json.loads((home.run / "state.json").read_text())["ready"] is False
