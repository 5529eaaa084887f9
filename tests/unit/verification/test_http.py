"""What a real web server answers, and what it does not."""

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autonomy.sdk import Verdict
from autonomy.sdk.looking import Look, looking
from autonomy.verification import http_answers
from tests.support.mail import free_port

PAGE = b"<p>Published at noon.</p>"


class Pages(BaseHTTPRequestHandler):
    """Answers by path."""

    asked: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        name, _, given = self.path.strip("/").partition("/")
        getattr(self, f"_{name}")(given)

    def _page(self, _: str) -> None:
        self._answer(200, PAGE)

    def _status(self, given: str) -> None:
        self._answer(int(given), b"no")

    def _moved(self, given: str) -> None:
        self._answer(302, b"", location=f"/{given}" if given else "/page")

    def _large(self, _: str) -> None:
        self._answer(200, b"first" + b"." * 5_000 + b"last")

    def _cut(self, _: str) -> None:
        self._answer(200, b"part", length=100)

    def _drip(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        for _byte in range(100):
            self.wfile.write(b".")
            time.sleep(0.05)

    def _answer(self, status: int, body: bytes, *, length: int = 0, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join(5)


def test_a_page_with_the_promised_words_or_bytes_is_verified(site: str) -> None:
    digest = hashlib.sha256(PAGE).hexdigest()

    seen = http_answers(f"{site}/page", contains="Published", sha256=digest)

    assert (seen.verdict, seen.found) == (Verdict.VERIFIED, {"sha256": digest})
    assert "status 200 OK" in seen.seen


def test_another_body_or_a_clear_no_is_refuted(site: str) -> None:
    assert http_answers(f"{site}/page", contains="Withdrawn").verdict is Verdict.REFUTED
    assert http_answers(f"{site}/page", sha256="0" * 64).verdict is Verdict.REFUTED
    assert http_answers(f"{site}/status/404").verdict is Verdict.REFUTED
    assert http_answers(f"{site}/page", status=404).verdict is Verdict.REFUTED
    assert http_answers(f"{site}/status/410", status=410).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_a_server_that_will_not_or_cannot_tell_proves_nothing(site: str, status: int) -> None:
    assert http_answers(f"{site}/status/{status}").verdict is Verdict.INCONCLUSIVE
    assert http_answers(f"{site}/status/{status}", status=status).verdict is Verdict.VERIFIED


def test_nobody_there_proves_nothing() -> None:
    seen = http_answers(f"http://127.0.0.1:{free_port()}/")

    assert (seen.verdict, "refused" in seen.seen) == (Verdict.INCONCLUSIVE, True)
    assert http_answers("http://no.such.host.invalid/").verdict is Verdict.INCONCLUSIVE
    assert http_answers("file:///etc/passwd").verdict is Verdict.INCONCLUSIVE
    assert http_answers("http://127.0.0.1:99999/").verdict is Verdict.INCONCLUSIVE


def test_a_body_that_drips_is_not_waited_for(site: str) -> None:
    seen = http_answers(f"{site}/drip", timeout=0.4)

    assert (seen.verdict, seen.seen) == (Verdict.INCONCLUSIVE, "no whole answer within 0.4 s")


def test_of_a_large_body_only_the_beginning_is_judged(site: str) -> None:
    first = http_answers(f"{site}/large", contains="first", most_bytes=1_000)
    last = http_answers(f"{site}/large", contains="last", most_bytes=1_000)

    assert (first.verdict, last.verdict) == (Verdict.VERIFIED, Verdict.INCONCLUSIVE)
    assert last.found == {}


def test_half_a_body_proves_nothing(site: str) -> None:
    assert http_answers(f"{site}/cut", contains="whole").verdict is Verdict.INCONCLUSIVE


def test_redirects_are_followed_only_where_they_are_allowed(site: str) -> None:
    alone = http_answers(f"{site}/moved", contains="Published")

    assert (alone.verdict, "sends to /page" in alone.seen) == (Verdict.REFUTED, True)
    assert http_answers(f"{site}/moved", contains="Published", redirects=1).verdict == "verified"
    assert (
        http_answers(f"{site}/moved/moved", contains="Published", redirects=1).verdict == "refuted"
    )


def test_what_is_sent_along_goes_to_the_first_host_only(site: str) -> None:
    Pages.asked.clear()
    elsewhere = site.replace("127.0.0.1", "localhost")

    http_answers(f"{elsewhere}/moved/{site}/page", headers={"Authorization": "x"}, redirects=1)
    http_answers(f"{site}/moved", headers={"Authorization": "x"}, redirects=1)

    assert [given for _, given in Pages.asked][-2:] == ["x", "x"]
    assert (
        http_answers(site.replace("//", "//ada:secret@") + "/page").looked_at == f"GET {site}/page"
    )


def test_the_environment_names_no_proxy(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert http_answers(f"{site}/page").verdict is Verdict.VERIFIED


def test_without_a_network_nothing_is_asked(site: str) -> None:
    Pages.asked.clear()

    with looking(Look(network=False)):
        seen = http_answers(f"{site}/status/404")

    assert (seen.verdict, Pages.asked) == (Verdict.INCONCLUSIVE, [])
