"""Keeping processes up, ending them for certain, and keeping what they print."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from console.host.home import Home
from console.host.logs import KEPT, LogFile, Logs
from console.host.spawning import Process, wait_until
from console.host.watch import CALM, LONGEST, SHORTEST, Watch, Watched


@pytest.fixture
def watch(logs: Logs) -> Iterator[Watch]:
    watching = Watch(logs)
    yield watching
    watching.end(watching.names, seconds=1)


def python(name: str, code: str) -> Process:
    return Process(name, (sys.executable, "-u", "-c", code), dict(os.environ))


def log(home: Home, name: str) -> str:
    return (home.logs / f"{name}.log").read_text()


def test_a_process_that_keeps_dying_is_started_later_each_time(home: Home, watch: Watch) -> None:
    watch.start(python("doomed", "print('born')"))

    deadline = monotonic() + 3
    while monotonic() < deadline:
        watch.look()
        sleep(0.02)

    # After 0.5, 1 and 2 more seconds: two or three starts in three seconds, however slow they are.
    assert log(home, "doomed").count("born") in {2, 3}
    assert watch.seconds_to_next() > 0


def test_waits_double_up_to_a_bound_and_begin_anew_after_a_calm_time() -> None:
    [child] = [None]
    one = Watched(python("x", ""), child, born=0.0)  # type: ignore[arg-type]

    waits = [one.died(now=1.0) for _ in range(12)]

    assert waits[:3] == [SHORTEST * 2, SHORTEST * 4, SHORTEST * 8]
    assert waits[-1] == LONGEST
    assert one.died(now=1.0 + CALM) == SHORTEST * 2
    assert one.deaths == 13


def test_a_process_that_will_not_end_is_killed_with_what_it_began(home: Home, watch: Watch) -> None:
    watch.start(
        python(
            "stubborn",
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print(os.getpid(), os.fork() or 'child')\n"
            "time.sleep(60)",
        )
    )
    assert wait_until(lambda: "child" in log(home, "stubborn"), seconds=10)
    pids = [int(word) for word in log(home, "stubborn").split() if word.isdigit()]

    began = monotonic()
    watch.end(["stubborn"], seconds=0.3)

    assert monotonic() - began < 5
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), seconds=5)


def test_a_process_that_is_asked_ends_in_its_own_time(home: Home, watch: Watch) -> None:
    watch.start(
        python(
            "calm",
            "import signal, sys, time\n"
            "def end(*_):\n"
            "    time.sleep(0.5)\n"
            "    print('saved')\n"
            "    sys.exit()\n"
            "signal.signal(signal.SIGTERM, end)\n"
            "print('up')\n"
            "time.sleep(60)",
        )
    )
    assert wait_until(lambda: "up" in log(home, "calm"), seconds=10)

    watch.end(["calm"], seconds=10)

    assert wait_until(lambda: "saved" in log(home, "calm"), seconds=5)


def test_a_process_ends_with_whoever_started_it(home: Home) -> None:
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from console.host.logs import Logs\n"
        "from console.host.serving import spawn_logged\n"
        "from console.host.spawning import Process\n"
        "child = spawn_logged(Process('kid', ('/bin/sleep', '600'), {}), Logs(Path(sys.argv[1])))\n"
        "print(child.pid)\n"
        "time.sleep(600)"
    )
    read, write = os.pipe()
    parent = os.posix_spawn(
        sys.executable,
        [sys.executable, "-u", "-c", code, str(home.logs)],
        dict(os.environ),
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
    )
    os.close(write)
    with os.fdopen(read) as told:
        child = int(told.readline())

    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)

    assert wait_until(lambda: not Path(f"/proc/{child}").exists(), seconds=5)


def test_a_log_never_grows_past_its_bound_and_keeps_the_newest(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "n1.log", most_bytes=1000)

    for number in range(1000):
        file.write(f"line {number}\n".encode())

    file.close()
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == KEPT + 1
    assert all(one.stat().st_size <= 1000 for one in kept)
    assert (tmp_path / "n1.log").read_text().endswith("line 999\n")


def test_what_a_process_prints_is_shown_with_its_name_when_asked(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    logs = Logs(home.logs, verbose=True)
    watch = Watch(logs)
    watch.start(python("talker", "print('hello')"))

    assert wait_until(lambda: "hello" in log(home, "talker"), seconds=10)
    shown = ""

    def is_shown() -> bool:
        nonlocal shown
        shown += capfd.readouterr().err
        return "talker │ hello" in shown

    assert wait_until(is_shown, seconds=5)
    watch.end(["talker"], seconds=1)
    logs.close()
