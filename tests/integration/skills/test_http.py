"""Skills that ask over HTTP: values stay values, addresses are judged, answers mean something."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.states import ErrorClass
from autonomy.sdk.errors import Permanent, Transient
from autonomy.skillfiles.outbound import Connected, Response
from autonomy.skillfiles.targets import Request
from autonomy.testing import Bench, Service, Tried, serving
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

HEAD = """\
name: it
description: It.
tier: {tier}
owner: me
retries: 0
arguments: {{name: {{type: string, default: x}}, tags: {{type: array, default: []}}}}
http:
  local: true
  url: {url}
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


def write(project: Path, url: str, more: str = "", tier: int = 1) -> None:
    (project / "it.yaml").write_text(HEAD.format(url=url, tier=tier) + more)


def tried(project: Path, url: str, more: str = "", tier: int = 1, **args: Any) -> Tried:
    write(project, url, more, tier)
    with Bench(project) as bench:
        assert bench.problems == {}
        return bench.run("it", **args)


def test_values_are_encoded_for_the_place_they_stand_in(project: Path, service: Service) -> None:
    name = 'a/b?c=d&e#f %2e "q" {tags} é'
    more = """\
  method: POST
  query: {q: "{name}", each: "{tags}", fixed: "1"}
  headers: {X-Count: "n {tags}"}
  json: {name: "{name}", tags: "{tags}", told: "is {name}", n: 3, "{{": "}}"}
"""

    it = tried(project, service.url + "/users/{name}/x", more, name=name, tags=["a&b", "c"])

    assert it.state == "done", it.why
    [asked] = service.asked
    path, _, query = asked.path.partition("?")
    assert path == "/users/a%2Fb%3Fc%3Dd%26e%23f%20%252e%20%22q%22%20%7Btags%7D%20%C3%A9/x"
    assert query == (
        "q=a%2Fb%3Fc%3Dd%26e%23f+%252e+%22q%22+%7Btags%7D+%C3%A9&each=a%26b&each=c&fixed=1"
    )
    assert json.loads(asked.body) == {
        "name": name, "tags": ["a&b", "c"], "told": f"is {name}", "n": 3, "{{": "}",
    }  # fmt: skip
    assert asked.headers["content-type"] == "application/json"


def test_a_form_and_a_text_are_bodies_too(project: Path, service: Service) -> None:
    tried(project, service.url, "  method: POST\n  form: {a: '{name}', b: '{tags}'}\n", name="x&y")
    tried(project, service.url, "  method: PUT\n  text: 'Dear {name}'\n", name="x&y")

    assert [asked.body for asked in service.asked] == ["a=x%26y", "Dear x&y"]


@pytest.mark.parametrize("name", ["..", ".", "", "%2e%2e"])
def test_a_value_is_no_step_to_another_path(project: Path, service: Service, name: str) -> None:
    it = tried(project, service.url + "/users/{name}/delete", name=name)

    if name == "%2e%2e":
        assert service.asked[0].path == "/users/%252e%252e/delete"
    else:
        assert (it.error_class, service.asked) == (ErrorClass.PERMANENT, [])


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\nb", "\u202e", "é"])
def test_a_value_is_no_line_of_a_header(project: Path, service: Service, name: str) -> None:
    it = tried(project, service.url, "  headers: {X-Name: '{name}'}\n", name=name)

    assert (it.error_class, service.asked) == (ErrorClass.PERMANENT, [])
    assert "the header X-Name cannot hold" in it.why


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (200, None), (204, None), (301, ErrorClass.PERMANENT), (400, ErrorClass.PERMANENT),
        (404, ErrorClass.PERMANENT), (429, ErrorClass.TRANSIENT), (500, ErrorClass.TRANSIENT),
        (503, ErrorClass.TRANSIENT),
    ],
)  # fmt: skip
def test_a_status_means_what_it_says(
    project: Path, service: Service, status: int, error_class: ErrorClass | None
) -> None:
    service.answers = [(status, {}, b"")]

    assert tried(project, service.url).error_class == error_class


def test_a_file_may_say_what_a_status_means(project: Path, service: Service) -> None:
    service.answers = [(404, {}, b"none"), (503, {}, b"")]
    more = "result: {ok: [200, 404], permanent: [503]}\n"

    assert tried(project, service.url, more).result == "none"
    assert tried(project, service.url, more).error_class is ErrorClass.PERMANENT


def test_json_is_read_by_what_the_file_says_and_never_by_what_the_answer_says(
    project: Path, service: Service
) -> None:
    answer = (200, {"Content-Type": "application/json"}, b'{"n": 1}')
    service.answers = [answer, answer]

    assert tried(project, service.url).result == '{"n": 1}'
    assert tried(project, service.url, "result: json\n").result == {"n": 1}


def test_a_post_of_unknown_fate_is_never_sent_again(project: Path, service: Service) -> None:
    service.answers = [(0, {}, b"")]
    write(project, service.url, "  method: POST\n")

    with Bench(project) as bench:
        first = bench.run("it")
        second = bench.again(first)

    assert (first.error_class, second.report.ambiguous) == (ErrorClass.TRANSIENT, True)
    assert len(service.asked) == 1


def test_a_post_that_ended_in_an_error_of_the_service_waits_for_a_person(
    project: Path, service: Service
) -> None:
    service.answers = [(500, {}, b"half done")]

    it = tried(project, service.url, "  method: POST\n")

    assert (it.state, it.report.ambiguous) == ("held", True)
    assert "it may have happened" in it.why


def test_a_post_that_was_clearly_refused_is_sent_again(project: Path, service: Service) -> None:
    service.answers = [(429, {}, b"later"), (201, {}, b"made")]
    write(project, service.url, "  method: POST\n")

    with Bench(project) as bench:
        first = bench.run("it")
        second = bench.again(first)
        third = bench.again(second)

    assert first.error_class is ErrorClass.TRANSIENT
    assert (second.result, third.result) == ("made", "made")
    assert len(service.asked) == 2


def test_a_post_with_an_idempotency_key_is_sent_again_with_the_same_key(
    project: Path, service: Service
) -> None:
    service.answers = [(0, {}, b""), (201, {}, b"made")]
    write(project, service.url, "  method: POST\n  idempotency_header: Idempotency-Key\n")

    with Bench(project) as bench:
        first = bench.run("it")
        second = bench.again(first)

    keys = {asked.headers["idempotency-key"] for asked in service.asked}
    assert (first.error_class, second.result) == (ErrorClass.TRANSIENT, "made")
    assert (len(service.asked), len(keys)) == (2, 1)


def test_a_verifier_asks_the_service_again(project: Path, service: Service) -> None:
    more = f"""\
  method: PUT
  json: {{name: "{{name}}"}}
verify:
  - http: {{url: "{service.url}/users/{{name}}", local: true, json: {{name: "{{name}}"}}}}
"""
    service.answers = [(201, {}, b""), (200, {}, b'{"name": "ada", "id": 1}')]
    honest = tried(project, service.url + "/users/{name}", more, name="ada")
    service.answers = [(201, {}, b""), (404, {}, b"nobody")]
    dishonest = tried(project, service.url + "/users/{name}", more, name="ada")

    assert (honest.verdict, dishonest.verdict) == ("verified", "refuted")
    assert "status 404: nobody" in dishonest.why


def test_without_local_no_private_address_is_reached(project: Path, service: Service) -> None:
    (project / "it.yaml").write_text(
        HEAD.format(url=service.url, tier=1).replace("  local: true\n", "")
    )
    with Bench(project) as bench:
        it = bench.run("it")

    assert (it.error_class, service.asked) == (ErrorClass.PERMANENT, [])
    assert "which is not public" in it.why


def request(url: str, **more: Any) -> Request:
    host = url.partition("://")[2].partition("/")[0]
    given: dict[str, Any] = {
        "method": "GET", "headers": {}, "body": b"", "seconds": 5, "most": 1000, "redirects": 0,
        "hosts": frozenset({host}), "local": True, **more,
    }  # fmt: skip
    return Request(url=url, **given)


def test_a_redirect_is_an_answer_unless_it_is_asked_for(service: Service) -> None:
    moved = (302, {"Location": "/other"}, b"")
    service.answers = [moved, moved, (200, {}, b"there")]

    assert Connected(request(service.url)).send().status == 302
    assert Connected(request(service.url, redirects=1)).send() == Response(200, "there")


@pytest.mark.parametrize(
    "where",
    ["http://127.0.0.1:1/", "http://169.254.169.254/", "file:///etc/passwd", "//evil/x",
     "http://[::1", "http://127.0.0.1:99999/", "http://me@127.0.0.1/", "gopher://x/"],
)  # fmt: skip
def test_a_redirect_leads_to_no_other_host(service: Service, where: str) -> None:
    service.answers = [(302, {"Location": where}, b"")]

    with pytest.raises(Permanent):
        Connected(request(service.url, redirects=3)).send()


def test_redirects_in_a_circle_end(service: Service) -> None:
    service.answers = [(302, {"Location": "/again"}, b"")] * 10

    assert Connected(request(service.url, redirects=5)).send().status == 302
    assert len(service.asked) == 6


def test_too_long_an_answer_and_a_packed_one_are_refused(service: Service) -> None:
    service.answers = [(200, {}, b"x" * 1001), (200, {"Content-Encoding": "gzip"}, b"x")]

    with pytest.raises(Permanent, match="more than 1000 bytes"):
        Connected(request(service.url)).send()
    with pytest.raises(Permanent, match="packed"):
        Connected(request(service.url)).send()


def test_a_name_is_looked_up_once_and_what_was_judged_is_connected_to(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "169.254.169.254"]
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *more: Any, **named: Any) -> Any:
        if host == "service.test":
            asked.append(host)
            host = answers.pop(0)
        return real(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    response = Connected(request(f"http://service.test:{service.port}/")).send()

    assert (response.text, asked) == ("fine", ["service.test"])
    assert service.asked[0].headers["host"] == f"service.test:{service.port}"


def test_no_proxy_of_the_environment_is_used(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert Connected(request(service.url)).send().text == "fine"


def test_nobody_there_is_transient_and_nothing_was_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(Transient, match="cannot be reached"):
            Connected(request(url))


@contextmanager
def saying(*parts: bytes, pause: float = 0) -> Iterator[str]:
    """A service that sends these bytes, whatever it is asked, and hangs up."""
    done = threading.Event()

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                for part in parts:
                    connection.sendall(part)
                    if done.wait(pause):
                        return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            done.set()
            thread.join(10)


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"],
        [b"HTTP/1.1 200 OK\r\nContent-"],
        [b"nonsense\r\n\r\n"],
        [],
    ],
)
def test_half_an_answer_is_none(parts: list[bytes]) -> None:
    with saying(*parts) as url, pytest.raises(Transient, match="did not answer in time, or not"):
        Connected(request(url)).send()


@pytest.mark.parametrize(
    "parts",
    [
        [b"H", *[b"T"] * 500],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 90],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 500],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 500],
    ],
)
def test_an_answer_that_drips_is_hung_up_on(parts: list[bytes]) -> None:
    with saying(*parts, pause=0.2) as url, pytest.raises(Transient):
        Connected(request(url, seconds=1)).send()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One for `localhost` that nobody has signed, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate: apt-get install openssl")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return cert, key


@pytest.mark.parametrize("trusted", [True, False])
def test_https_is_believed_only_with_a_certificate_of_that_name(
    certificate: tuple[Path, Path], trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    with serving(certificate=certificate) as service:
        named, bare = f"https://localhost:{service.port}/", f"https://127.0.0.1:{service.port}/"
        if trusted:
            assert Connected(request(named)).send().text == "fine"
        else:
            with pytest.raises(Permanent, match="self-signed certificate"):
                Connected(request(named))
        with pytest.raises(Permanent, match="certificate"):
            Connected(request(bare))
