"""Leases, cancelling, and what happens when the zygote or its supervisor is gone (C-6, C-11)."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from autonomy.sessions.orders import End, Order, Report
from autonomy.sessions.pool import SessionPool, ZygoteFailed
from tests.integration.sessions.bench import Bench
from tests.integration.sessions.conftest import ROOT, linux_only

pytestmark = linux_only

SUPERVISOR = """
import sys, time
from pathlib import Path
from tests.integration.sessions.bench import Bench
with Bench(Path(sys.argv[1]), lease_seconds=1) as bench:
    order = bench.order("calm.wait", args={"seconds": 60})
    bench.pool.spawn(order)
    while order.session_id not in bench.pids:
        bench.serve({})
    print(bench.pool.pid, bench.pids[order.session_id], flush=True)
    while True:
        bench.pool.renewed([order.session_id])
        bench.serve({})
"""


@pytest.fixture
def short(home: Path) -> Iterator[Bench]:
    """Leases of one second."""
    with Bench(home, lease_seconds=1, patience=0.5) as running:
        yield running


@pytest.fixture
def supervisor(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """A supervisor in a process of its own, its zygote, and a session that waits for a minute."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(home)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout
    zygote, session = map(int, process.stdout.readline().split())
    yield process, zygote, session
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_session_without_a_renewed_lease_is_lost(short: Bench) -> None:
    report = short.run("calm.wait", args={"seconds": 30})

    assert (report.ended, report.seconds < 2.5) == (End.LOST, True)


def test_a_renewed_lease_keeps_a_session(short: Bench) -> None:
    order = short.order("calm.wait", args={"seconds": 1.6})

    report = _serve(short, order, lambda: short.pool.renewed([order.session_id]))

    assert report.result == "waited"


def test_news_of_a_renewal_counts_from_when_it_was_asked_for(short: Bench) -> None:
    order = short.order("calm.wait", args={"seconds": 30})
    long_ago = short.pool.now() - 5

    report = _serve(short, order, lambda: short.pool.renewed([order.session_id], at=long_ago))

    assert report.ended is End.LOST


def test_an_order_that_comes_after_its_lease_is_lost_at_once(short: Bench) -> None:
    order = short.order("calm.wait", args={"seconds": 30})

    short.pool.spawn(order, leased_at=short.pool.now() - 5)

    assert short.wait(order.session_id)[0].ended is End.LOST


def test_a_cancelled_session_is_told_and_may_tidy_up(short: Bench) -> None:
    order = short.order("calm.tidy")
    short.pool.spawn(order)
    while order.session_id not in short.printed:
        short.serve({})
    short.pool.cancel(order.session_id)

    report = short.wait(order.session_id)[0]

    assert report.ended is End.CANCELLED
    assert (order.artifacts / "tidied").read_text() == "SIGTERM"


def test_a_session_cancelled_while_it_is_set_up_never_begins(short: Bench) -> None:
    orders = [short.order("calm.wait", args={"seconds": 20}) for _ in range(8)]
    for order in orders:
        short.pool.spawn(order)
        short.pool.cancel(order.session_id)

    reports = short.wait(*(order.session_id for order in orders))

    assert {report.ended for report in reports} == {End.CANCELLED}
    assert max(report.seconds for report in reports) < 0.5


def test_a_cancelled_session_that_is_deaf_is_killed(bench: Bench) -> None:
    order = bench.order("hostile.stay_deaf")
    bench.pool.spawn(order)
    while order.session_id not in bench.printed:
        bench.serve({})
    bench.pool.cancel(order.session_id)
    begun = time.monotonic()

    report = bench.wait(order.session_id)[0]

    assert (report.ended, report.signal) == (End.CANCELLED, signal.SIGKILL)
    assert 0.9 < time.monotonic() - begun < 3


def test_sessions_end_with_their_zygote(home: Path) -> None:
    with Bench(home) as bench:
        order = bench.order("calm.wait", args={"seconds": 60})
        bench.pool.spawn(order)
        while order.session_id not in bench.pids:
            bench.serve({})
        os.kill(bench.pool.pid, signal.SIGKILL)

        report = bench.wait(order.session_id)[0]

        assert (report.ended, bench.pool.alive) == (End.LOST, False)
        assert _gone(bench.pids[order.session_id])


def test_everything_ends_with_the_supervisor(
    supervisor: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    process, zygote, session = supervisor
    assert not _gone(session, within=1.5)

    process.kill()

    assert _gone(session)
    assert _gone(zygote)


def test_a_stopped_supervisor_cannot_keep_a_session(
    supervisor: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    process, _, session = supervisor

    process.send_signal(signal.SIGSTOP)

    assert _gone(session)


def test_a_supervisor_that_does_not_read_costs_no_memory(bench: Bench) -> None:
    order = bench.order("hostile.flood", limits={"output_bytes": 60_000_000})
    before = _memory(bench.pool.pid)
    bench.pool.spawn(order)
    time.sleep(1.5)

    grown = _memory(bench.pool.pid) - before
    bench.pool.cancel(order.session_id)
    report = bench.wait(order.session_id)[0]

    assert grown < 20_000_000
    assert report.output_truncated


def test_an_idle_zygote_sleeps(home: Path) -> None:
    with Bench(home) as bench:
        bench.run("calm.add", args={"left": 1})
        before = _wakeups(bench.pool.pid)
        time.sleep(2)

        assert _wakeups(bench.pool.pid) - before <= 2


def test_two_generations_live_side_by_side(home: Path) -> None:
    with Bench(home) as old, Bench(home) as new:
        order = old.order("calm.wait", args={"seconds": 0.5})
        old.pool.spawn(order)

        assert new.run("calm.add", args={"left": 1}).ended is End.OK
        assert old.wait(order.session_id)[0].result == "waited"


def test_a_change_of_sources_is_noticed_and_a_touch_is_not(tmp_path: Path) -> None:
    package = _package(
        tmp_path, "from autonomy.sdk import skill\n@skill(tier=1)\ndef a(ctx): ...\n"
    )
    source = package / "one.py"
    pool = SessionPool((package,))
    pool.start()
    try:
        unchanged = pool.stale()
        source.touch()
        touched = pool.stale()
        source.write_text(source.read_text() + "# changed\n")

        assert (unchanged, touched, pool.stale()) == (False, False, True)
    finally:
        pool.close()


def test_a_broken_module_is_told_and_stops_nothing_else(tmp_path: Path) -> None:
    package = _package(
        tmp_path, "from autonomy.sdk import skill\n@skill(tier=1)\ndef a(ctx): ...\n"
    )
    (package / "two.py").write_text("raise ValueError('broken on purpose')\n")
    pool = SessionPool((package,))
    pool.start()
    pool.close()

    assert [item.name for item in pool.components] == ["one.a"]
    assert ["broken on purpose" in text for text in pool.problems.values()] == [True]


@pytest.mark.parametrize(
    ("code", "why"), [("import os; os._exit(1)", "ended"), ("import time; time.sleep(60)", "load")]
)
def test_a_zygote_that_cannot_load_is_told(tmp_path: Path, code: str, why: str) -> None:
    pool = SessionPool((_package(tmp_path, code),))

    with pytest.raises(ZygoteFailed, match=why):
        pool.start(timeout=2)


def test_the_pool_waits_in_the_selector_of_its_caller(bench: Bench) -> None:
    order = bench.order("calm.wait", args={"seconds": 0.2})
    bench.pool.spawn(order)
    with selectors.DefaultSelector() as selector:
        selector.register(bench.pool, selectors.EVENT_READ)

        assert selector.select(5)

    bench.wait(order.session_id)
    assert bench.pool.sessions == frozenset()


def _serve(bench: Bench, order: Order, act: Callable[[], None]) -> Report:
    """Run the order, and act now and then meanwhile."""
    bench.pool.spawn(order)
    ended: dict[UUID, Report] = {}
    until = time.monotonic() + 20
    while order.session_id not in ended and time.monotonic() < until:
        bench.serve(ended)
        if order.session_id in bench.pids:
            act()
    return ended[order.session_id]


def _package(parent: Path, code: str) -> Path:
    package = parent / f"made_{time.monotonic_ns()}"
    package.mkdir()
    (package / "one.py").write_text(code)
    return package


def _gone(pid: int, within: float = 5) -> bool:
    """Whether the process ends in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _wakeups(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
