"""A package index on loopback, with releases made on the spot."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Index:
    """What it answers, by path; anything else is not found."""

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    broken: bool = False

    def release(self, name: str, version: str, archive: bytes, sha256: str | None = None) -> str:
        """Publish a source distribution; returns the hash that is promised for it."""
        file = f"{name}-{version}.tar.gz"
        promised = hashlib.sha256(archive).hexdigest() if sha256 is None else sha256
        self.pages[f"/files/{file}"] = archive
        self.pages[f"/{name}/"] = f'<a href="../files/{file}#sha256={promised}">{file}</a>'.encode()
        return promised


@contextmanager
def package_index() -> Iterator[Index]:
    """An index while the block lasts."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> bytes:
            body = index.pages.get(self.path)
            self.send_response(500 if index.broken else 404 if body is None else 200)
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "x/y")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            return body or b""

        def do_GET(self) -> None:
            self.wfile.write(self.do_HEAD())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def sdist(files: Mapping[str, str], links: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a source distribution."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return packed.getvalue()
