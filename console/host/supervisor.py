"""Starts everything in order, keeps it up, and ends it in reverse (O-1)."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import time

from console.host.connections import (
    KINDS,
    ROLE_SETTINGS,
    Connections,
    connect,
    given_roles,
    setting,
)
from console.host.embedded import postgres_of, valkey_of
from console.host.environment import environment_of, keep, node_names, settings_of
from console.host.errors import DiskFull, HostError, StartFailed
from console.host.home import Home, private
from console.host.identity import Identity
from console.host.known import known_secrets
from console.host.logs import Logs
from console.host.orphans import end_orphans
from console.host.ports import LOOPBACK, KeptPorts
from console.host.processes import Flower, Web, background, web_port
from console.host.secrets import Secrets
from console.host.serving import Server, start
from console.host.state import State
from console.host.telling import tell
from console.host.urls import refuse_malformed
from console.host.wakeups import AskedToEnd, Wakeups
from console.host.watch import Watch

CALM_SECONDS = 14.0
SERVER_SECONDS = 5.0
"""Together with what it takes to kill the rest, an end takes 20 s at most."""

_SERVERS = ("postgres", "valkey")
_PR_SET_CHILD_SUBREAPER = 36
_PREPARE_SECONDS = 3600


class Supervisor:
    """The platform on one home, from start to end. Use it on the main thread."""

    def __init__(self, home: Home, environ: Mapping[str, str], *, verbose: bool = False) -> None:
        self._home = home
        self._environ = environ
        self._verbose = verbose
        self._secrets = Secrets(home)
        self._wakeups = Wakeups()

    def run(self, announce: Callable[[State], None]) -> None:
        """Start, say so, and keep everything up until asked to end."""
        _check(self._environ)
        self._home.prepare()
        with self._home.locked(), self._wakeups.installed():
            adopts = _adopt_strays()
            end_orphans(self._home)
            self._secrets.make()
            known = known_secrets(self._environ, self._home.secrets)
            self._logs = Logs(self._home.logs, verbose=self._verbose, known=known.current)
            self._ports = KeptPorts(self._home.run / "ports.json")
            self._watch = Watch(self._logs, adopts=adopts)
            try:
                announce(self._start())
                self._stay()
            except AskedToEnd:
                return
            finally:
                self._wakeups.interrupting = False
                self._end()

    def _start(self) -> State:
        """Bring everything up; the state in which it all runs."""
        self._note(State(supervisor=_myself(), since=time(), skills=self._skills()))
        uses = connect(
            self._environ,
            self._secrets,
            postgres_port=self._serve("DATABASE_URL", postgres_of),
            valkey_port=self._serve("REDIS_URL", valkey_of),
        )
        settings = settings_of(self._home, self._environ, uses)
        self._prepare(uses, settings)
        keep(self._home, settings, embedded="postgres" in self._watch.names)
        private(self._home.work, 0o711)
        for process in background(self._environ, settings):
            self._watch.start(process)
        web, flower = self._up(
            Web(self._environ, settings), Flower(self._home, self._environ, settings)
        )
        self._wakeups.interrupting = False
        urls = {"console": f"http://{LOOPBACK}:{web}/", "flower": f"http://{LOOPBACK}:{flower}/"}
        return self._note(replace(self._state, urls=urls, ready=True))

    def _serve(
        self, name: str, embedded: Callable[[Home, Mapping[str, str]], Server]
    ) -> int | None:
        """Start the embedded server unless a setting names another one; gives its port."""
        if setting(self._environ, name):
            return None
        [port] = self._up(embedded(self._home, self._environ))
        return port

    def _up(self, *servers: Server) -> list[int]:
        """Start servers and keep them up; gives their ports."""
        started = start(servers, self._ports, self._logs)
        for one in started:
            self._watch.keep(one.process, one.child)
        self._note(self._state)
        return [one.port for one in started]

    def _prepare(self, uses: Connections, settings: Mapping[str, str]) -> None:
        """Bring the database up to date, as its owner, in a process of its own."""
        given = given_roles(self._environ)
        made = [kind for kind in KINDS if kind not in given]
        own = {
            "DATABASE_URL": uses.owner,
            "AUTONOMY_OPERATOR_PASSWORD": self._secrets["operator.password"],
            "AUTONOMY_OPERATOR_TOKEN": self._secrets["operator.token"],
            **{ROLE_SETTINGS[kind]: url for kind, url in uses.roles().items()},
        }
        output = self._logs.pipe("prepare")
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-m", "django", "prepare", *made],
                env=environment_of("prepare", self._environ, settings) | own,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                timeout=_PREPARE_SECONDS,
                check=False,
            )
        finally:
            os.close(output)
        _judge(done, self._logs)

    def _stay(self) -> None:
        """Keep everything up until asked to end."""
        while not self._wakeups.asked:
            self._wakeups.wait(self._watch.seconds_to_next())
            if self._watch.look():
                self._note_if_there_is_room()

    def _end(self) -> None:
        """End the platform, then the servers it stood on."""
        hurry = self._wakeups.asked > 1
        platform = [name for name in self._watch.names if name not in _SERVERS]
        self._watch.end(platform, seconds=0 if hurry else CALM_SECONDS)
        self._watch.end(_SERVERS, seconds=SERVER_SECONDS)
        self._logs.close()

    def _note(self, state: State) -> State:
        """Write down what runs now."""
        self._state = replace(state, processes=self._watch.running())
        self._state.write(self._home)
        return self._state

    def _note_if_there_is_room(self) -> None:
        """A full disk is no reason to end what runs; the next change is noted again."""
        try:
            self._note(self._state)
        except DiskFull as error:
            tell(str(error))

    def _skills(self) -> tuple[str, ...]:
        return tuple(filter(None, self._environ.get("AUTONOMY_SKILLS", "").split(",")))


def _check(environ: Mapping[str, str]) -> None:
    """Refuse settings that cannot be used before anything is started for them."""
    node_names(environ)
    web_port(environ)
    given_roles(environ)
    for name in ("SECRET_KEY", "REDIS_URL"):
        setting(environ, name)
    if url := setting(environ, "DATABASE_URL"):
        refuse_malformed("DATABASE_URL", url)


def _judge(done: subprocess.CompletedProcess[bytes], logs: Logs) -> None:
    """Raise what a preparation reported."""
    last = done.stdout.strip().rpartition(b"\n")[2]
    answer = json.loads(last) if last.startswith(b"{") else {}
    if "error" in answer:
        raise HostError.from_json(answer)
    if done.returncode != 0:
        raise StartFailed(
            f"the database could not be brought up to date: {logs.tail('prepare')}",
            f"read {logs.path('prepare')}",
        )


def _myself() -> Identity:
    identity = Identity.of(os.getpid())
    assert identity is not None  # noqa: S101
    return identity


def _adopt_strays() -> bool:
    """Have processes whose parent dies left to us instead of to the machine, where it can be."""
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
