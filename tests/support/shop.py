"""A small world for skills to act on: web, mail, git and a database, all real and on loopback."""

import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from console.host.urls import database_of, with_login
from tests.support.mail import smtp_server
from tests.support.platform import database_url

_LAST_WEEK_SECONDS = 7 * 86_400
_PASSWORD = "only for tests"


@dataclass
class Site:
    """What a web server was given."""

    pages: dict[str, bytes] = field(default_factory=dict)
    orders: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Requests(BaseHTTPRequestHandler):
    """Keeps pages that are put, and counts orders that are posted."""

    site: Site

    def do_PUT(self) -> None:
        """Keep a page, unless it is asked to refuse."""
        body, refuses = self._body(), bool(urlsplit(self.path).query)
        if not refuses:
            self.site.pages[self._name] = body
        self._answer(503 if refuses else 201, b"")

    def do_POST(self) -> None:
        """Take an order, as often as it comes."""
        self._body()
        with self.site.lock:
            self.site.orders[self._name] += 1
        self._answer(201, b"")

    def do_GET(self) -> None:
        """What was put or posted under the name."""
        if orders := self.site.orders[self._name]:
            self._answer(200, json.dumps({"orders": orders}).encode())
        elif page := self.site.pages.get(self._name):
            self._answer(200, page)
        else:
            self._answer(404, b"")

    @property
    def _name(self) -> str:
        return urlsplit(self.path).path.strip("/")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def web(site: Site) -> Iterator[str]:
    """A web server over the site; its address."""
    handler = type("Handler", (Requests,), {"site": site})
    with _Server(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join(5)


@contextmanager
def shop(world: Path, numbers: Iterator[int]) -> Iterator[Site]:
    """Make the world in a folder: with servers, a repository, a table, and lists of last week."""
    world.mkdir()
    world.chmod(0o777)
    (world / "source.bin").write_bytes(os.urandom(64_000))
    for number in numbers:
        _old_list(world / f"list-{number}.txt")
    site = Site()
    with ExitStack() as stack:
        mail = stack.enter_context(smtp_server(world))
        places = {
            "site": stack.enter_context(web(site)),
            "smtp": mail.port,
            "mail_log": str(mail.log),
            "database": stack.enter_context(_bookings()),
            "first_commit": _repository(world / "orders.git"),
        }
        (world / "places.json").write_text(json.dumps(places))
        yield site


def _old_list(path: Path) -> None:
    path.write_text("complete")
    path.chmod(0o666)
    long_ago = time.time() - _LAST_WEEK_SECONDS
    os.utime(path, (long_ago, long_ago))


def _repository(folder: Path) -> str:
    """A repository that every user may write to, with one commit; its id."""
    subprocess.run(["git", "init", "-q", "--bare", "--shared=0777", str(folder)], check=True)
    folder.chmod(0o777)
    empty = _git(folder, "mktree")
    return _git(
        folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", empty, "-m", "0"
    )


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={folder}", *words], input="", text=True, capture_output=True, check=True
    ).stdout.strip()


@contextmanager
def _bookings() -> Iterator[str]:
    """A table of the test database, and the URL of a role that may only add to it."""
    owner = database_url()
    name = f"{database_of(owner)}_shop"
    role = Identifier(name)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE bookings (batch int, line int)")
        connection.execute(SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, Literal(_PASSWORD)))
        connection.execute(SQL("GRANT INSERT ON bookings TO {}").format(role))
        try:
            yield with_login(owner, name, _PASSWORD)
        finally:
            connection.execute("DROP TABLE bookings")
            connection.execute(SQL("DROP ROLE {}").format(role))
