"""A small HTTP service for tests: it remembers what it was asked, and answers as it is told."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HANG_UP = 0
"""Instead of a status: the connection is closed without a word."""

_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    """Their names in small letters."""
    body: str


@dataclass
class Service:
    """What it was asked, and what it answers: by path, or one answer after the other."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    paths: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        if self.answers:
            return self.answers.pop(0)
        status, body = self.paths.get(path, (404, b"") if self.paths else (200, b"fine"))
        return status, {}, body


class _Server(ThreadingHTTPServer):
    """Says nothing of those who hang up on it."""

    def handle_error(self, *_: Any) -> None:
        """Leave it to the test to notice."""


@contextmanager
def serving(
    paths: Mapping[str, tuple[int, bytes]] | None = None,
    *,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Service]:
    """A service on loopback until the block ends; without `paths` it answers `fine` to all.

    With a certificate and its key it speaks HTTPS.
    """
    service = Service(paths=dict(paths or {}))
    with _Server(("127.0.0.1", 0), _handler(service)) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join(_WAIT_SECONDS)


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def answer(self) -> None:
            """Remember it, and say what the service says."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.asked.append(Asked(self.command, self.path, headers, body))
            status, more, content = service.answer(self.path)
            if status != HANG_UP:
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
