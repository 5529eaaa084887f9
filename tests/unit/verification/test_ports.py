"""Real ports and real processes of this machine."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from autonomy.sdk import Transient, Verdict
from autonomy.sdk.context import ProcessSeen
from autonomy.sdk.looking import Look, looking
from autonomy.verification import port_is_closed, port_is_open, process_is_gone, process_runs
from tests.support.mail import free_port


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that greets whoever calls, as mail servers do."""
    greet = (
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "while True: c = s.accept()[0]; c.sendall(b'220 ready\\r\\n'); c.close()\n"
    )
    with subprocess.Popen([sys.executable, "-c", greet], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


def test_a_port_where_somebody_listens_is_open(listening: int) -> None:
    assert port_is_open(listening).verdict is Verdict.VERIFIED
    assert port_is_open(listening, greeting="220").seen == "open, greeting with '220 ready'"
    assert port_is_open(listening, greeting="+OK").verdict is Verdict.REFUTED
    assert port_is_closed(listening).verdict is Verdict.REFUTED


def test_a_port_where_nobody_listens_is_closed() -> None:
    assert port_is_open(free_port()).verdict is Verdict.REFUTED
    assert port_is_closed(free_port()).verdict is Verdict.VERIFIED


def test_a_port_that_does_not_answer_proves_nothing() -> None:
    with socket.socket() as full:  # its queue is full: what calls now is not answered
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))

        assert port_is_open(port, timeout=0.3).verdict is Verdict.INCONCLUSIVE
        assert port_is_closed(port, timeout=0.3).verdict is Verdict.INCONCLUSIVE
        for caller in callers:
            caller.close()


def test_without_a_network_a_closed_port_proves_nothing() -> None:
    with looking(Look(network=False)):
        assert port_is_open(free_port()).verdict is Verdict.INCONCLUSIVE
        assert port_is_closed(free_port()).verdict is Verdict.INCONCLUSIVE


def seen(pid: int) -> ProcessSeen | None:
    """A process as a node tells of it."""
    if not psutil.pid_exists(pid):
        return None
    found = psutil.Process(pid)
    started_at = datetime.fromtimestamp(found.create_time(), UTC)
    return ProcessSeen(pid, found.name(), found.status(), started_at)


def test_a_process_is_told_by_number_name_and_age() -> None:
    before = datetime.now(UTC)  # noqa: TID251 -- the clock that processes are stamped by
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        pid = sleeper.pid
        assert process_runs(seen, pid, name="sleep", since=before).verdict is Verdict.VERIFIED
        assert process_runs(seen, pid, name="cron").verdict is Verdict.REFUTED
        later = before + timedelta(minutes=1)
        assert process_runs(seen, pid, since=later).verdict is Verdict.REFUTED
        assert process_is_gone(seen, pid).verdict is Verdict.REFUTED
        sleeper.kill()
        while (found := seen(pid)) is None or found.status != "zombie":
            pass
        assert process_runs(seen, pid).seen == "it has ended"
    assert process_runs(seen, pid).verdict is Verdict.REFUTED
    assert process_is_gone(seen, pid).verdict is Verdict.VERIFIED


def test_a_process_that_nobody_can_look_at_proves_nothing() -> None:
    def hidden(pid: int) -> ProcessSeen | None:
        raise Transient("the supervisor did not answer")

    assert process_runs(hidden, 1).verdict is Verdict.INCONCLUSIVE
    assert process_is_gone(hidden, 1).verdict is Verdict.INCONCLUSIVE
