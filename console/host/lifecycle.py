"""Starting and ending the platform from another process."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console.host import environment, state
from console.host.errors import AlreadyRunning, HostError, NotRunning, StartFailed
from console.host.home import Home
from console.host.identity import Identity
from console.host.orphans import end_orphans
from console.host.spawning import LAUNCHER, end, wait_until
from console.host.state import State

START_SECONDS = 600
"""A first start takes seconds; recovery after a loss of power, or a migration, takes longer."""

STOP_SECONDS = 30

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Supervisors that this process started, to be waited for when it ends them."""


@dataclass(frozen=True)
class Platform:
    """A platform that runs."""

    home: Home
    state: State
    ours: bool
    """Whether it was started for this block, and ends with it."""

    @property
    def url(self) -> str:
        """Where the console answers."""
        return self.state.urls["console"]


@contextmanager
def running(path: Path | None = None, skills: Sequence[Path] = ()) -> Iterator[Platform]:
    """A running platform: the one that runs on this home already, or one that ends with the block.

    Its environment is put into this process, so that Django can be set up in the block.
    """
    environ = environment.given()
    home = Home.of(environ, path)
    ours = not home.is_locked()
    found = start_detached(home, environ, skills, with_me=True) if ours else attach(home, skills)
    try:
        environment.load(home.path)
        yield Platform(home, found, ours)
    finally:
        if ours and _is_the_same(home, found):
            stop(home)


def _is_the_same(home: Home, found: State) -> bool:
    """Whether no other supervisor has taken the home since: that one is not ours to end."""
    now = state.read(home)
    return now is None or now.supervisor == found.supervisor or not now.supervisor.alive()


def attach(home: Home, skills: Sequence[Path] = ()) -> State:
    """The platform that runs on the home, once it is up; it must have loaded the skills."""
    wait_until(lambda: _is_up(home), seconds=START_SECONDS)
    found = current(home)
    missing = [folder for folder in _absolute(skills) if folder not in found.skills]
    if missing:
        raise AlreadyRunning(
            f"the platform already runs on {home.path}, without the skills in {', '.join(missing)}",
            "end it with `autonomy down`, or use another home: AUTONOMY_HOME=FOLDER",
        )
    return found


def current(home: Home) -> State:
    """What runs on the home; raises NotRunning."""
    found = state.read(home)
    if found is None or not home.is_locked() or not found.supervisor.alive():
        raise NotRunning(f"the platform does not run on {home.path}", "start it with `autonomy up`")
    return found


def start_detached(
    home: Home, environ: Mapping[str, str], skills: Sequence[Path] = (), *, with_me: bool = False
) -> State:
    """Start the platform in the background and wait until it is up.

    With `with_me` it ends when the calling thread does, however that ends.
    """
    home.prepare()
    if home.is_locked():
        raise AlreadyRunning(
            f"the platform already runs on {home.path}",
            "look at it with `autonomy status`, or end it with `autonomy down`",
        )
    hears, tells = os.pipe()
    child = _spawn(home, with_skills(environ, skills), tells, with_me=with_me)
    os.close(tells)
    with os.fdopen(hears) as report:
        try:
            answered = select.select([report], [], [], START_SECONDS)[0]
            answer = report.readline() if answered else ""
        except KeyboardInterrupt:
            end(child, signal.SIGTERM, seconds=STOP_SECONDS)
            raise
    return _started(home, child, answer)


def stop(home: Home) -> None:
    """End the platform, and what a killed supervisor left; raises NotRunning."""
    if home.is_locked():
        _stop_supervisor(home)
    elif not end_orphans(home):
        raise NotRunning(f"the platform does not run on {home.path}", "start it with `autonomy up`")


def _stop_supervisor(home: Home) -> None:
    wait_until(lambda: _supervisor(home) is not None or not home.is_locked(), seconds=5)
    supervisor = _supervisor(home)
    if supervisor:
        os.kill(supervisor.pid, signal.SIGTERM)
    if not wait_until(lambda: not home.is_locked(), seconds=STOP_SECONDS) and supervisor:
        os.kill(supervisor.pid, signal.SIGKILL)
        wait_until(lambda: not supervisor.alive(), seconds=5)
        end_orphans(home)
    if supervisor and (child := _children.pop(supervisor.pid, None)):
        child.wait(5)


def _supervisor(home: Home) -> Identity | None:
    found = state.read(home)
    return found.supervisor if found and found.supervisor.alive() else None


def _is_up(home: Home) -> bool:
    found = state.read(home)
    return not home.is_locked() or bool(found and found.ready and found.supervisor.alive())


def _spawn(
    home: Home, environ: Mapping[str, str], report: int, *, with_me: bool
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "console.host.supervise", str(home.path), str(report)]
    if with_me:
        launch = (-1, -1, os.getpid(), signal.SIGTERM.value)
        command = [sys.executable, "-I", "-S", LAUNCHER, *map(str, launch), *command]
    with (home.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(report,),
            start_new_session=True,
        )


def _started(home: Home, child: subprocess.Popen[bytes], answer: str) -> State:
    shape = json.loads(answer or "{}")
    if "error" in shape:
        child.wait(STOP_SECONDS)
        raise HostError.from_json(shape)
    if not shape:
        ended = wait_until(lambda: child.poll() is not None, seconds=2)
        end(child, signal.SIGTERM, seconds=STOP_SECONDS)
        how = "ended while it started" if ended else f"did not start within {START_SECONDS} s"
        raise StartFailed(f"the supervisor {how}", f"read {home.logs / 'supervisor.log'}")
    _children[child.pid] = child
    return current(home)


def with_skills(environ: Mapping[str, str], skills: Sequence[Path]) -> dict[str, str]:
    """The environment with those folders of skills added to the ones it names."""
    before = [Path(name) for name in environ.get("AUTONOMY_SKILLS", "").split(",") if name.strip()]
    folders = dict.fromkeys(_absolute([*before, *skills]))
    return dict(environ) | {"AUTONOMY_SKILLS": ",".join(folders)}


def _absolute(folders: Sequence[Path]) -> list[str]:
    return [str(folder.expanduser().resolve()) for folder in folders]
