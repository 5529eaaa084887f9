"""A small HTTP client for one request that the author of a skill has bounded on every side.

It uses no proxy and no setting of the environment but whom to trust (SSL_CERT_FILE), connects to
an address that was judged, follows nothing on its own, and takes no more than it was told.
"""

import socket
import ssl
import time
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urljoin, urlsplit

from autonomy.sdk.errors import Permanent, Transient
from autonomy.skillfiles.addresses import resolved
from autonomy.skillfiles.targets import Request, checked, origin

_CHUNK = 65_536
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
        target = urlsplit(request.url)
        where = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            self._connection.request(
                request.method, where, body=request.body or None, headers=dict(request.headers)
            )
            answer = self._connection.getresponse()
            return (
                Response(answer.status, self._text(answer))
                if not self._moved(answer)
                else (self._follow(answer))
            )
        except (OSError, HTTPException) as error:
            raise Transient(f"{target.netloc} did not answer: {error!r}") from None
        finally:
            self._connection.close()

    def _moved(self, answer: HTTPResponse) -> bool:
        request = self._request
        return answer.status in _REDIRECTS and request.redirects > 0 and request.method in _SAFE

    def _follow(self, answer: HTTPResponse) -> Response:
        """The next hop is judged like the first; elsewhere nothing private is sent along."""
        before = self._request
        url = urljoin(before.url, answer.getheader("Location", ""))
        if before.url.startswith("https:") and not url.startswith("https:"):
            raise Permanent(f"it leads from https to {url[:200]}")
        same = origin(url) == origin(before.url)
        rest = self._until - time.monotonic()
        following = replace(
            before,
            url=url,
            headers=before.headers if same else {},
            redirects=before.redirects - 1,
            seconds=max(rest, 0.1),
        )
        return Connected(following).send()

    def _text(self, answer: HTTPResponse) -> str:
        coding = answer.getheader("Content-Encoding", "identity")
        if coding != "identity":
            raise Permanent(f"the answer is packed ({coding[:50]}), which was not asked for")
        content = bytearray()
        while len(content) <= self._request.most:
            self._connection.wait_until(self._until)
            chunk = answer.read1(_CHUNK)
            if not chunk:
                return content.decode("utf-8", "replace")
            content += chunk
        raise Permanent(f"the answer has more than {self._request.most} bytes")


class _Pinned(HTTPConnection):
    """Connected to an address that was judged, under the name that was asked for."""

    def __init__(self, request: Request) -> None:
        target = urlsplit(request.url)
        host, port = checked(request.url, request.hosts)
        super().__init__(host, port, timeout=request.seconds)
        self._secure = target.scheme == "https"
        self._kept: socket.socket | None = None
        self._addresses = resolved(host, port, local=request.local)
        self.connect()

    def connect(self) -> None:
        """Try each address in turn; raises Permanent, Transient."""
        last: OSError | None = None
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self.port), self.timeout)
                self.sock = self._kept = self._sealed(plain) if self._secure else plain
            except ssl.SSLCertVerificationError as error:
                raise Permanent(f"{self.host}: {error.verify_message}") from None
            except OSError as error:
                last = error
            else:
                return
        raise Transient(f"{self.host} cannot be reached: {last}")

    def wait_until(self, until: float) -> None:
        """Let no read take longer than what is left of the whole; raises TimeoutError."""
        rest = until - time.monotonic()
        if rest <= 0:
            raise TimeoutError("its time is over")
        if self._kept is not None:
            self._kept.settimeout(rest)  # http.client forgets the socket before the body is read

    def _sealed(self, plain: socket.socket) -> ssl.SSLSocket:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
