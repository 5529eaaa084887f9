"""A script that somebody else has written, run by `shell.run`: nothing of the host is within reach.

Each script says REACHED when it got what it wants. Outside of a session all of them do.
"""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from autonomy import skills
from autonomy.domain.isolation import Rung
from autonomy.sessions import isolation
from autonomy.testing import Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

MARK = "96.7654321"
REACHED = "REACHED"
SCRIPTS = {
    "reads a key": "cat {home}/.ssh/id_rsa && echo REACHED",
    "reads a key through a link": "ln -s {home}/.ssh/id_rsa key && cat key && echo REACHED",
    "reads an environment": "cat /proc/{victim}/environ >copy && echo REACHED",
    "reads memory": "python3 -c \"open('/proc/{victim}/mem', 'rb')\" && echo REACHED",
    "sees processes": "test -d /proc/{victim} && echo REACHED",
    "writes a start-up file": "echo evil >> {home}/.bashrc && echo REACHED",
    "writes through a link that changes": (
        "for i in 1 2 3 4 5; do ln -sfn . there; ln -sfn {home} there; "
        "echo evil >> there/.bashrc && echo REACHED; done"
    ),
    "moves a folder away": "mv {home}/.ssh {home}/gone && echo REACHED",
    "opens a file to all": "chmod 777 {home}/.bashrc && echo REACHED",
    "stops a process": "kill -STOP {victim} && echo REACHED",
    "kills a process": "kill -KILL {victim} && echo REACHED",
    "traces a process": (
        "python3 -c \"import ctypes; c = ctypes.CDLL(None, use_errno=True); "
        "raise SystemExit(c.ptrace(16, {victim}, 0, 0) != 0)\" && echo REACHED"
    ),
    "talks over TCP": "python3 -c \"import socket; "
    "socket.create_connection(('127.0.0.1', {port}), 3)\" && echo REACHED",
    "sends a datagram": "python3 -c \"import socket; socket.socket(2, 2).sendto("
    "b'x', ('127.0.0.1', {port}))\" && echo REACHED",
    "talks to a service on a file": "python3 -c \"import socket; "
    "socket.socket(1, 1).connect('{home}/service.sock')\" && echo REACHED",
    "makes a user namespace": "unshare --user --map-root-user true && echo REACHED",
}  # fmt: skip


@dataclass
class Host:
    """What a script could reach: a home, a process, services."""

    home: Path
    port: int
    victim: "subprocess.Popen[bytes]"

    def script(self, name: str) -> str:
        """The script with the names of what is here."""
        return SCRIPTS[name].format(home=self.home, port=self.port, victim=self.victim.pid)

    def is_unharmed(self) -> bool:
        """Whether all is as it was made."""
        status = psutil.Process(self.victim.pid).status()
        bashrc = self.home / ".bashrc"
        return (
            status == psutil.STATUS_SLEEPING
            and bashrc.read_text() == "# as it was\n"
            and bashrc.stat().st_mode & 0o777 == 0o666
            and (self.home / ".ssh" / "id_rsa").exists()
        )


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    found = isolation.detect()
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs Landlock, namespaces and seccomp: " + "; ".join(found.facts))
    with Bench(Path(skills.__file__).parent) as running:
        yield running


@pytest.fixture
def host() -> Iterator[Host]:
    """Everything on it is open to everybody: only the session stands before it."""
    home = Path(tempfile.mkdtemp(prefix="autonomy-host-"))
    home.chmod(0o777)
    (home / ".ssh").mkdir()
    (home / ".ssh").chmod(0o777)
    for name, text in ((".ssh/id_rsa", "secret"), (".bashrc", "# as it was\n")):
        (home / name).write_text(text)
        (home / name).chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as service:
        service.bind(str(home / "service.sock"))
        (home / "service.sock").chmod(0o777)
        service.listen()
        with subprocess.Popen(["sleep", "600"]) as victim:
            yield Host(home, tcp.getsockname()[1], victim)
            victim.kill()
    shutil.rmtree(home)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_reaches_nothing_of_the_host(bench: Bench, host: Host, name: str) -> None:
    tried = bench.run("shell.run", command=f"{host.script(name)}; true")

    assert tried.state == "done", tried.why
    assert REACHED not in tried.result["tail"], tried.result["tail"]
    assert host.is_unharmed()


@pytest.mark.parametrize("name", SCRIPTS)
def test_outside_of_a_session_the_same_script_reaches_it(
    host: Host, name: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", host.script(name)],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert REACHED in done.stdout, done.stderr


@pytest.mark.parametrize(
    "script",
    [
        f"setsid nohup sleep {MARK} >/dev/null 2>&1 &",
        f"(setsid sleep {MARK} </dev/null >/dev/null 2>&1 &) &",
        f"trap '' TERM HUP; (trap '' TERM HUP; exec sleep {MARK}) >/dev/null 2>&1 & disown || true",
    ],
)
def test_what_a_script_leaves_running_ends_with_it(bench: Bench, script: str) -> None:
    tried = bench.run("shell.run", command=script)

    assert tried.state == "done", tried.why
    assert [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])] == []


def test_a_flood_is_cut_and_marked(bench: Bench) -> None:
    tried = bench.run("shell.run", command="yes | head -c 5G")

    assert (tried.report.ended, tried.report.limit) == ("resource", "output")
    assert tried.report.output_truncated
    assert len(tried.report.output) < 100_000
