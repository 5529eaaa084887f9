"""Whatever a skill does, it ends its own session and nothing else (C-15, C-16, C-18).

One real node, with a neighbour at work beside each of them until it has ended.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from autonomy.domain.isolation import Rung
from autonomy.domain.states import State
from autonomy.sessions import isolation
from autonomy.systemmap.models import Component
from autonomy.tasks.models import Artifact, Session
from tests.acceptance.trying import Trial, Trying
from tests.support.census import Census, census, settled
from tests.support.nodes import RealNode, real_node

pytestmark = [pytest.mark.timeout(180), pytest.mark.django_db]

SKILLS = Path(__file__).parent / "bad_skills"
AT_ONCE = 5
MARK = "97.1234567"
KEY = 0x0BAD_0001

Ending = tuple[str, str]
"""The state of the task, and how its reason begins or what it holds."""

CROSSING: dict[str, Ending] = {
    "raises": (State.FAILED, "transient: ValueError: sold out"),
    "segfaults": (State.FAILED, "transient: the session was killed by signal 11 (SIGSEGV)"),
    "quits": (State.FAILED, "transient: SystemExit"),
    "vanishes": (State.FAILED, "transient: the session exited with status 0 and gave no result"),
    "becomes_another": (State.FAILED, "transient: the session exited with status 0"),
    "recurses": (State.FAILED, "transient: RecursionError"),
    "closes_everything": (State.FAILED, "transient: the session exited"),
    "closes_output": (State.DONE, ""),
    "floods": (State.FAILED, "resource (output): "),
    "lets_another_flood": (State.FAILED, "resource (output): "),
    "fills_folder": (State.FAILED, "resource (disk): "),
    "fills_one_file": (State.FAILED, "resource (disk): "),
    "fills_unseen": (State.FAILED, "resource (disk): "),
    "fills_shared_memory": (State.FAILED, "resource (disk): "),
    "eats": (State.FAILED, "resource (memory): "),
    "eats_together": (State.FAILED, "resource (memory): "),
    "burns": (State.FAILED, "resource (cpu): "),
    "dawdles": (State.FAILED, "timeout (wall): "),
    "multiplies": (State.FAILED, "resource (processes): "),
    "hoards_files": (State.FAILED, "resource (open_files): "),
    "answers_wrongly": (State.FAILED, "permanent: the result does not fit"),
    "answers_too_much": (State.FAILED, "resource (result): "),
    "talks_nonsense": (State.FAILED, "transient: the session broke the protocol"),
    "leaves_grandchild": (State.DONE, ""),
    "vanishes_from_grandchild": (State.FAILED, "transient: the session exited with status 0"),
    "becomes_daemon": (State.DONE, ""),
    "deletes_folder": (State.DONE, ""),
    "locks_folder": (State.DONE, ""),
    "leaves_shared_memory": (State.DONE, ""),
    "never_joins": (State.DONE, ""),
}
ESCAPING: dict[str, Ending] = {
    "kills": (State.FAILED, "permanent: nobody was reached"),
    "spies": (State.FAILED, "permanent: nothing was read"),
    "calls_out": (State.FAILED, "permanent: none of 11 ways leads out"),
    "follows_links": (State.FAILED, "permanent: nothing was written"),
}
_SKILL = "from autonomy.sdk import Context, skill\n@skill({})\ndef act(ctx: Context) -> None: ...\n"
BROKEN = {
    "unimportable.py": ("import no_such_module\n", "ModuleNotFoundError"),
    "tier.py": (_SKILL.format("tier=4"), "use 1, 2 or 3"),
    "twice.py": (_SKILL.format("tier=1, name='neighbour'"), "rename one of them"),
}


@dataclass(frozen=True)
class Trials:
    """All of them, and the node before and after."""

    found: dict[str, Trial]
    remembered: list[Any]
    before: Census
    after: Census
    outside: dict[str, str]
    artifacts: set[str]
    problems: dict[str, str]


@pytest.fixture(scope="module")
def trials(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Trials]:
    """Everything is tried at once on one node; the tests below only look at what came of it."""
    with django_db_blocker.unblock(), _open_folder() as home:
        try:
            broken = _broken(home / "broken")
            with real_node(home, SKILLS, broken, slots=2 * AT_ONCE + 2) as node:
                yield _tried(node, home)
        finally:
            call_command("flush", verbosity=0, interactive=False)
            connection.close()


@pytest.mark.parametrize("name", CROSSING)
def test_it_ends_with_its_own_reason(trials: Trials, name: str) -> None:
    _ended_as(trials, name, CROSSING[name])


@pytest.mark.parametrize("name", ESCAPING)
def test_nothing_of_others_is_within_reach(trials: Trials, name: str) -> None:
    _needs_the_whole_ladder()
    _ended_as(trials, name, ESCAPING[name])


def test_one_that_does_not_hear_is_killed_when_its_patience_is_over(trials: Trials) -> None:
    deaf = trials.found["stays_deaf"].bad

    assert (deaf.state, Session.objects.get(task=deaf).ended) == (State.CANCELLED, "cancelled")


@pytest.mark.parametrize("name", [*CROSSING, *ESCAPING, "stays_deaf"])
def test_the_neighbour_is_unharmed(trials: Trials, name: str) -> None:
    trial = trials.found[name]

    assert (trial.neighbour.state, trial.neighbour.reason) == (State.DONE, "")
    assert trial.neighbour.attempt == 1
    assert trial.overlapped


def test_what_a_session_remembers_no_other_knows(trials: Trials) -> None:
    assert trials.remembered == [["one"], ["two"]]


def test_the_node_is_as_it_was(trials: Trials) -> None:
    assert trials.after == trials.before


def test_no_process_is_left_anywhere() -> None:
    left = [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]

    assert left == []


def test_nothing_that_outlives_processes_is_left() -> None:
    _needs_the_whole_ladder()
    keys = {
        int(line.split()[0]) & 0xFFFF_FFFF
        for kind in ("shm", "msg", "sem")
        for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
    }

    assert KEY not in keys
    assert list(Path("/dev/shm").glob("bad-*")) == []  # noqa: S108


def test_nothing_outside_was_written(trials: Trials) -> None:
    assert trials.outside == {"file": "as it was"}
    assert "passwd" not in trials.artifacts


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_loaded_is_on_the_map_and_stops_nothing_else(
    trials: Trials, name: str
) -> None:
    told = [problem for place, problem in trials.problems.items() if BROKEN[name][1] in problem]

    assert told, trials.problems


def _ended_as(trials: Trials, name: str, expected: Ending) -> None:
    task = trials.found[name].bad
    reason = expected[1]
    begins = task.reason[: len(reason)] if reason else task.reason
    assert (task.state, begins) == expected, task.reason


def _needs_the_whole_ladder() -> None:
    found = isolation.detect()
    if found.level < Rung.SYSCALLS:
        pytest.skip("needs Landlock, namespaces and seccomp: " + "; ".join(found.facts))


@contextmanager
def _open_folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="autonomy-bad-skills-"))
    home.chmod(0o755)
    for name in ("gate", "outside"):
        (home / name).mkdir()
    (home / "outside").chmod(0o777)
    (home / "outside" / "file").write_text("as it was")
    (home / "outside" / "file").chmod(0o666)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _broken(folder: Path) -> Path:
    folder.mkdir()
    for name, (code, _) in BROKEN.items():
        (folder / name).write_text(code)
    return folder


def _tried(node: RealNode, home: Path) -> Trials:
    trying = Trying(home / "gate")
    with _listening(home) as port:
        args = _arguments(node, home, port)
        trying.pair("raises", {})  # whatever is made at the first session is there from here on
        before = census(node)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            names = ["stays_deaf", *CROSSING, *ESCAPING]
            found = threads.map(lambda name: trying.pair(name, args.get(name, {})), names)
            trials = dict(zip(names, found, strict=True))
    remembered = [trying.run("remembers", word=word).result for word in ("one", "two")]
    return Trials(
        found=trials,
        remembered=remembered,
        before=before,
        after=settled(node, before),
        outside={path.name: path.read_text() for path in (home / "outside").iterdir()},
        artifacts=set(Artifact.objects.values_list("name", flat=True)),
        problems=dict(Component.objects.exclude(problem="").values_list("name", "problem")),
    )


def _arguments(node: RealNode, home: Path, port: int) -> dict[str, dict[str, Any]]:
    pids = [node.process.pid, node.zygote.pid, os.getpid()]
    mark = {"mark": MARK}
    return {
        "leaves_grandchild": mark,
        "vanishes_from_grandchild": mark,
        "becomes_daemon": mark,
        "kills": {"pids": pids},
        "spies": {"pids": pids},
        "calls_out": {"port": port, "file": str(home / "outside.sock"), "name": f"bad-{port}"},
        "follows_links": {"outside": str(home / "outside")},
        "leaves_shared_memory": {"key": KEY},
    }


@contextmanager
def _listening(home: Path) -> Iterator[int]:
    """Services of this machine that everybody may talk to: on a port, on a file, on a name."""
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as file,
        socket.socket(socket.AF_UNIX) as name,
    ):
        port = int(tcp.getsockname()[1])
        file.bind(str(home / "outside.sock"))
        (home / "outside.sock").chmod(0o777)
        name.bind(f"\0bad-{port}")
        file.listen()
        name.listen()
        yield port
