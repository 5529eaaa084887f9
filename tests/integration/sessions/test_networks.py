"""Whom a session cannot talk to, and how little it takes to see to that (C-18)."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.isolation import Rung
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.orders import End
from tests.integration.sessions.bench import Bench
from tests.integration.sessions.conftest import ROOT, as_stranger, contained, linux_only

pytestmark = linux_only

OUTSIDE = ROOT / "pyproject.toml"
"""What everybody may read, and no session is given."""


@pytest.fixture(autouse=True)
def _enough(found: Isolation) -> None:
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs the whole ladder: " + "; ".join(found.facts))


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that says hello to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def greet() -> None:
            try:
                with server.accept()[0] as caller:
                    caller.sendall(b"hello")
            except OSError:  # nobody came, which is what most tests want
                return

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]


def test_there_is_no_network(bench: Bench, listener: int) -> None:
    for report in (
        bench.run("calm.connect", args={"port": listener}),
        bench.run("calm.shout", args={"port": listener}),
        bench.run("calm.loopback"),
    ):
        assert report.ended is End.FAILED
        assert "PermissionError" in report.error


def test_a_declared_loopback_is_one_of_its_own(bench: Bench, listener: int) -> None:
    own = {"loopback": True}

    assert bench.run("calm.loopback", scope=own).result == "hello"
    report = bench.run("calm.connect", args={"port": listener}, scope=own)
    assert "refused" in report.error


def test_a_declared_network_is_there(bench: Bench, listener: int) -> None:
    report = bench.run("calm.connect", args={"port": listener}, scope={"network": True})

    assert report.result == "hello"


def test_datagrams_do_not_get_out(bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.3)
        port = receiver.getsockname()[1]
        bench.run("calm.shout", args={"port": port}, scope={"loopback": True})

        with pytest.raises(TimeoutError):
            receiver.recv(100)


def test_services_that_listen_on_files_are_out_of_reach(bench: Bench) -> None:
    if os.getuid() != 0:
        pytest.skip("only root may listen in /run")
    path = Path(f"/run/sessions-{os.getpid()}.sock")
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(path))
        try:
            path.chmod(0o777)
            service.listen()
            reports = [
                bench.run("calm.knock", args={"path": str(path)}, scope=scope)
                for scope in ({}, {"loopback": True})
            ]
        finally:
            path.unlink()

    for report in reports:
        assert report.ended is End.FAILED
        assert "PermissionError" in report.error


def test_a_container_without_namespaces_cuts_the_network_with_the_filter(
    home: Path, listener: int
) -> None:
    port = {"args": {"port": listener}}
    plans: dict[str, dict[str, Any]] = {
        "stream": {"component": "calm.connect", **port},
        "datagram": {"component": "calm.shout", **port},
        "file": {"component": "calm.knock", "args": {"path": "/run/any.sock"}},
        "foreign code": {"component": "calm.foreign", "foreign_code": True},
        "declared": {"component": "calm.connect", "scope": {"network": True}, **port},
    }

    answer = contained(home, plans)

    assert answer["level"] == Rung.NETWORK
    reports = {name: pair["report"] for name, pair in answer["found"].items()}
    for name in ("stream", "datagram", "file"):
        assert "PermissionError: [Errno 1]" in reports[name]["error"]
    assert reports["foreign code"]["result"] == "ran"
    assert reports["declared"]["result"] == "hello"


def test_landlock_alone_denies_files_and_tcp(home: Path, listener: int) -> None:
    plans: dict[str, dict[str, Any]] = {
        "file": {"component": "calm.read", "args": {"path": str(OUTSIDE)}},
        "environment": {"component": "calm.read", "args": {"path": "/proc/1/environ"}},
        "tcp": {"component": "calm.connect", "args": {"port": listener}},
        "signal": {"component": "hostile.kill_parent"},
    }

    found = as_stranger(home, plans, strongest=1)

    for name in ("file", "environment", "tcp"):
        assert "PermissionError" in found[name]["report"]["error"]
    assert found["signal"]["report"]["result"] == ["PermissionError"] * 4
