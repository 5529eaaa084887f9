"""Servers that settings name are looked at before they are trusted."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from console.host.embedded import redis_url as url_of
from console.host.embedded import valkey_of
from console.host.errors import EvictingRedis, HostError, ServerUnavailable, SettingRefused
from console.host.exits import Exit
from console.host.given import check_database, check_redis
from console.host.home import Home
from console.host.logs import Logs
from console.host.ports import KeptPorts, free
from console.host.secrets import Secrets
from console.host.serving import start
from console.host.spawning import end
from console.host.urls import with_login


@pytest.fixture
def valkey(home: Home, environ: dict[str, str], logs: Logs) -> Iterator[str]:
    """A Valkey of its own, which the test may misconfigure."""
    [started] = start([valkey_of(home, environ)], KeptPorts(home.run / "ports.json"), logs)
    yield url_of(Secrets(home), started.port)
    end(started.child, started.process.stop_signal, seconds=5)


def test_good_servers_pass_and_say_their_version(valkey: str) -> None:
    assert int(check_database(os.environ["DATABASE_URL"]).partition(".")[0]) >= 15
    assert int(check_redis(valkey).partition(".")[0]) >= 7


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_redis_that_evicts_is_refused_with_the_command_that_mends_it(
    valkey: str, policy: str
) -> None:
    with Redis.from_url(valkey) as client:
        client.config_set("maxmemory-policy", policy)

    with pytest.raises(EvictingRedis, match=policy) as refused:
        check_redis(valkey)

    assert "CONFIG SET maxmemory-policy noeviction" in refused.value.fix
    assert refused.value.exit is Exit.SETTING


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"scheme": "mysql"}, SettingRefused),
        ({"path": ""}, SettingRefused),
        ({"path": "/no_such_database"}, SettingRefused),
        ({"netloc": f"owner:x@127.0.0.1:{free()}"}, ServerUnavailable),
        ({"netloc": "owner:x@127.0.0.1:not-a-port"}, SettingRefused),
    ],
)
def test_a_wrong_database_url_is_told_from_a_server_that_is_not_there(
    change: dict[str, str], kind: type[HostError]
) -> None:
    wrong = urlsplit(os.environ["DATABASE_URL"])._replace(**change).geturl()

    with pytest.raises(kind) as refused:
        check_database(wrong)

    assert refused.value.fix
    assert ":x@" not in str(refused.value)


def test_a_wrong_login_is_called_that_and_its_password_is_not_repeated(valkey: str) -> None:
    with pytest.raises(SettingRefused, match="refuses this login") as refused:
        check_redis(with_login(valkey, "default", "hunter2"))

    assert "hunter2" not in str(refused.value)


def test_a_redis_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerUnavailable, match="no Redis answers"):
        check_redis(f"redis://127.0.0.1:{free()}/0")


def test_an_error_survives_the_way_from_one_process_to_another() -> None:
    error = EvictingRedis("the problem", "the fix")

    again = HostError.from_json(error.as_json())

    assert type(again) is EvictingRedis
    assert str(again) == "the problem\nthe fix"
