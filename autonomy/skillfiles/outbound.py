"""A small HTTP client for one request that the author of a skill has bounded on every side.

It uses no proxy and no setting of the environment but whom to trust (SSL_CERT_FILE), connects to
an address that was judged, follows nothing on its own, and takes no more than it was told.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from urllib.parse import urljoin, urlsplit

from autonomy.sdk.errors import Permanent, Transient
from autonomy.skillfiles.addresses import resolved
from autonomy.skillfiles.targets import Request, checked, origin

_LEAST_SECONDS = 0.1
_REDIRECTS = {301, 302, 303, 307, 308}
_SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Response:
    """What was answered."""

    status: int
    text: str


class Connected:
    """A connection on which nothing has been sent yet: until `send`, nothing has happened."""

    def __init__(self, request: Request) -> None:
        """Connect; raises Permanent, Transient."""
        self._request = request
        self._until = time.monotonic() + request.seconds
        self._connection = _Pinned(request)

    def send(self) -> Response:
        """Send it and read the answer; raises Permanent, Transient."""
        request = self._request
        try:
            with self._connection.no_longer_than(self._until - time.monotonic()):
                answer = self._answer()
                if not self._moved(answer):
                    return Response(answer.status, self._text(answer))
        except (OSError, HTTPException) as error:
            where = urlsplit(request.url).netloc
            raise Transient(f"{where} did not answer in time, or not whole: {error!r}") from None
        finally:
            self._connection.close()
        return Connected(self._following(answer)).send()

    def _answer(self) -> HTTPResponse:
        request = self._request
        target = urlsplit(request.url)
        where = (target.path or "/") + (f"?{target.query}" if target.query else "")
        self._connection.request(
            request.method, where, body=request.body or None, headers=dict(request.headers)
        )
        answer = self._connection.getresponse()
        if answer.headers.defects:
            raise HTTPException("its headers are broken")
        return answer

    def _moved(self, answer: HTTPResponse) -> bool:
        request = self._request
        return answer.status in _REDIRECTS and request.redirects > 0 and request.method in _SAFE

    def _following(self, answer: HTTPResponse) -> Request:
        """The next hop is judged like the first; elsewhere nothing private is sent along."""
        before = self._request
        url = _joined(before.url, answer.getheader("Location", ""))
        checked(url, before.hosts)
        if before.url.startswith("https:") and not url.startswith("https:"):
            raise Permanent(f"it leads from https to {url[:200]}")
        return replace(
            before,
            url=url,
            headers=before.headers if origin(url) == origin(before.url) else {},
            redirects=before.redirects - 1,
            seconds=max(self._until - time.monotonic(), _LEAST_SECONDS),
        )

    def _text(self, answer: HTTPResponse) -> str:
        """All of it; raises Permanent for more than was asked for, HTTPException for less."""
        coding = answer.getheader("Content-Encoding", "identity")
        if coding != "identity":
            raise Permanent(f"the answer is packed ({coding[:50]}), which was not asked for")
        content = answer.read(self._request.most + 1)
        if len(content) > self._request.most:
            raise Permanent(f"the answer has more than {self._request.most} bytes")
        if answer.length or time.monotonic() > self._until:
            raise IncompleteRead(content, answer.length)
        return content.decode("utf-8", "replace")


class _Pinned(HTTPConnection):
    """Connected to an address that was judged, under the name that was asked for."""

    def __init__(self, request: Request) -> None:
        target = urlsplit(request.url)
        host, port = checked(request.url, request.hosts)
        super().__init__(host, port, timeout=request.seconds)
        self._secure = target.scheme == "https"
        self._addresses = resolved(host, port, local=request.local)
        self.connect()

    def connect(self) -> None:
        """Try each address in turn; raises Permanent, Transient."""
        last: OSError | None = None
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self.port), self.timeout)
                self.sock = self._sealed(plain) if self._secure else plain
            except ssl.SSLCertVerificationError as error:
                raise Permanent(f"{self.host}: {error.verify_message}") from None
            except OSError as error:
                last = error
            else:
                return
        raise Transient(f"{self.host} cannot be reached: {last}")

    @contextmanager
    def no_longer_than(self, seconds: float) -> Iterator[None]:
        """Hang up after this time: a timeout of the socket begins anew with each byte."""
        connected = self.sock  # http.client forgets it before the body is read
        timer = threading.Timer(max(seconds, 0), _hang_up, (connected,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _sealed(self, plain: socket.socket) -> ssl.SSLSocket:
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise Permanent(f"it leads to {location[:200]!r}: {error}") from None


def _hang_up(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was quicker
        return
