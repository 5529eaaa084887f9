"""Whatever a session does, it ends itself and nothing else (C-15, C-16)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.sessions.measures import family
from autonomy.sessions.wire import encoded
from tests.integration.sessions.bench import STRANGER, Bench, with_neighbours
from tests.integration.sessions.conftest import as_stranger, linux_only

pytestmark = linux_only

MARK = "98.7654321"
SMALL_DISK = {"disk_bytes": 20_000_000}
SMALL_MEMORY = {"memory_bytes": 120_000_000}

CALL = {"call": "effect_begin", "id": 1, "params": {"step": "once"}}

Endings = dict[str, tuple[dict[str, Any], dict[str, Any]]]

ENDINGS: Endings = {
    "segfaults": ({"component": "hostile.crash"}, {"ended": "failed", "signal": 11}),
    "exits with a status": (
        {"component": "hostile.vanish", "args": {"status": 3}},
        {"ended": "failed", "exit_status": 3, "error_class": "transient"},
    ),
    "exits as if all were well": (
        {"component": "hostile.vanish", "args": {"status": 0}},
        {"ended": "failed", "exit_status": 0, "error_class": "transient"},
    ),
    "raises SystemExit": ({"component": "hostile.quit_loudly"}, {"ended": "failed"}),
    "leaves a process behind": (
        {"component": "hostile.stay_behind", "args": {"mark": MARK}},
        {"ended": "ok", "result": "left"},
    ),
    "closes its output": (
        {"component": "hostile.close_everything"},
        {"ended": "ok", "result": "closed"},
    ),
    "fills its folder": (
        {"component": "hostile.fill_folder", "limits": SMALL_DISK},
        {"ended": "resource", "limit": "disk"},
    ),
    "fills one file": (
        {"component": "hostile.fill_one_file", "limits": SMALL_DISK},
        {"ended": "resource", "limit": "disk"},
    ),
    "fills files without a name": (
        {"component": "hostile.fill_unseen", "limits": SMALL_DISK},
        {"ended": "resource", "limit": "disk"},
    ),
    "digs folders too deep to be named": (
        {"component": "hostile.dig"},
        {"ended": "resource", "limit": "disk"},
    ),
    "deletes its folder": (
        {"component": "hostile.delete_folder"},
        {"ended": "ok", "result": "deleted"},
    ),
    "prints a gigabyte": (
        {"component": "hostile.flood"},
        {"ended": "resource", "limit": "output", "output_truncated": True},
    ),
    "eats memory": (
        {"component": "hostile.eat", "limits": SMALL_MEMORY},
        {"ended": "resource", "limit": "memory", "error_class": "resource"},
    ),
    "asks for all memory at once": (
        {"component": "hostile.eat_at_once"},
        {"ended": "resource", "limit": "memory"},
    ),
    "eats memory in many processes": (
        {"component": "hostile.eat_together", "limits": SMALL_MEMORY},
        {"ended": "resource", "limit": "memory"},
    ),
    "spins": (
        {"component": "hostile.spin", "limits": {"cpu_seconds": 0.4}},
        {"ended": "resource", "limit": "cpu"},
    ),
    "never ends": (
        {"component": "hostile.dawdle", "limits": {"wall_seconds": 0.4}},
        {"ended": "timeout", "limit": "wall", "error_class": "timeout"},
    ),
    "begins too many processes": (
        {"component": "hostile.multiply", "limits": {"processes": 20}},
        {"ended": "resource", "limit": "processes"},
    ),
    "opens too many files": (
        {"component": "hostile.hoard_files", "limits": {"open_files": 64}},
        {"ended": "resource", "limit": "open_files"},
    ),
    "opens too many files behind a library": (
        {"component": "hostile.hoard_behind_a_library", "limits": {"open_files": 64}},
        {"ended": "resource", "limit": "open_files"},
    ),
    "answers what is no value": (
        {"component": "hostile.answer_nonsense"},
        {"ended": "failed", "error_class": "permanent"},
    ),
    "answers another type": (
        {"component": "hostile.answer_wrongly"},
        {"ended": "failed", "error_class": "permanent"},
    ),
    "answers fifty megabytes": (
        {"component": "hostile.answer_too_much"},
        {"ended": "resource", "limit": "result"},
    ),
    "answers what cannot be stored": (
        {"component": "hostile.answer_unstorable"},
        {"ended": "failed", "error_class": "permanent"},
    ),
    "announces four gigabytes": (
        {"component": "hostile.babble", "args": {"hexed": "ffffffff00"}},
        {"ended": "failed", "error_class": "transient"},
    ),
    "asks again before it is answered": (
        {"component": "hostile.babble", "args": {"hexed": 2 * encoded(CALL).hex()}},
        {"ended": "failed", "error_class": "transient"},
    ),
    "talks nonsense": (
        {"component": "hostile.babble", "args": {"hexed": "0000000568656c6c6f"}},
        {"ended": "failed", "error_class": "transient"},
    ),
}
STRONG: Endings = {
    "signals whoever began it": (
        {"component": "hostile.kill_parent"},
        {"ended": "ok"},
    ),
    "is a fork bomb": (
        {"component": "hostile.bomb", "limits": {"processes": 20}},
        {"ended": "resource", "limit": "processes"},
    ),
}
WEAK = ["leaves a process behind", "fills its folder", "eats memory in many processes", "spins"]

Outcomes = dict[str, Any]


@pytest.fixture(scope="module")
def outcomes(bench: Bench) -> Outcomes:
    """As the tests run: as root, each session as a user of its own."""
    return with_neighbours(bench, _plans(ENDINGS | STRONG))


@pytest.fixture(scope="module")
def outcomes_of_a_stranger(home: Path) -> Outcomes:
    """Where the node is an ordinary user."""
    return as_stranger(home, _plans(ENDINGS | STRONG), strongest=2)


@pytest.fixture(scope="module")
def outcomes_without_namespaces(home: Path) -> Iterator[Outcomes]:
    """Where the kernel gives no namespaces, as root."""
    uid = STRANGER + 1 if os.getuid() == 0 else None
    with Bench(home, uid=uid, strongest=1) as weaker:
        yield with_neighbours(weaker, _plans({name: ENDINGS[name] for name in WEAK}))


@pytest.fixture(scope="module")
def outcomes_of_a_stranger_without_anything(home: Path) -> Outcomes:
    """Where the kernel gives nothing at all, to an ordinary user."""
    return as_stranger(home, _plans({name: ENDINGS[name] for name in WEAK}), strongest=0)


@pytest.mark.parametrize("behaviour", [*ENDINGS, *STRONG])
def test_a_session_that_misbehaves_ends_only_itself(outcomes: Outcomes, behaviour: str) -> None:
    _ended_alone(outcomes, behaviour)


@pytest.mark.parametrize("behaviour", [*ENDINGS, *STRONG])
def test_the_same_holds_where_the_node_is_an_ordinary_user(
    outcomes_of_a_stranger: Outcomes, behaviour: str
) -> None:
    _ended_alone(outcomes_of_a_stranger, behaviour)


@pytest.mark.parametrize("behaviour", WEAK)
def test_limits_do_not_need_namespaces(
    outcomes_without_namespaces: Outcomes, behaviour: str
) -> None:
    _ended_alone(outcomes_without_namespaces, behaviour)


@pytest.mark.parametrize("behaviour", WEAK)
def test_limits_need_nothing_but_processes(
    outcomes_of_a_stranger_without_anything: Outcomes, behaviour: str
) -> None:
    _ended_alone(outcomes_of_a_stranger_without_anything, behaviour)


def test_no_process_is_left(
    outcomes: Outcomes,
    outcomes_without_namespaces: Outcomes,
    outcomes_of_a_stranger: Outcomes,
    outcomes_of_a_stranger_without_anything: Outcomes,
) -> None:
    assert _running(lambda line: MARK.encode() in line) == []


def test_nothing_is_left_in_the_zygote(bench: Bench, outcomes: Outcomes) -> None:
    zygote = bench.pool.pid
    before = len(list(Path(f"/proc/{zygote}/fd").iterdir()))

    with_neighbours(bench, _plans({name: ENDINGS[name] for name in list(ENDINGS)[:8]}))

    assert family(zygote) == [zygote]
    assert len(list(Path(f"/proc/{zygote}/fd").iterdir())) == before
    spare = [path for path in bench.home.iterdir() if path.name.endswith(".tmp")]
    assert [path for folder in spare for path in folder.iterdir()] == []


def _plans(endings: Endings) -> dict[str, dict[str, Any]]:
    return {name: plan for name, (plan, _) in endings.items()}


def _ended_alone(outcomes: Outcomes, behaviour: str) -> None:
    expected = (ENDINGS | STRONG)[behaviour][1]
    report = outcomes[behaviour]["report"]
    assert {name: report[name] for name in expected} == expected, report
    assert outcomes[behaviour]["neighbour"]["ended"] == "ok"


def _running(wanted: Callable[[bytes], bool]) -> list[int]:
    """The processes of the machine whose command line is wanted."""
    pids = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted((folder / "cmdline").read_bytes()):
                pids.append(int(folder.name))
        except OSError:  # it ended meanwhile
            continue
    return pids
