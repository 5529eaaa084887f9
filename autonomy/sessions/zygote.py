"""The process that has loaded every skill and forks a session for each order (C-14).

It holds no database, no Django and no secret. It enforces every limit and every lease by itself,
because its supervisor may be waiting for a database that has frozen.
"""

import argparse
import gc
import io
import math
import os
import resource
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autonomy.sessions import clock, isolation, kernel, namespaces
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.forking import begun, refused
from autonomy.sessions.leftovers import end_all_of, end_strays
from autonomy.sessions.loading import NotLoaded, component_of, loaded
from autonomy.sessions.networks import Networks
from autonomy.sessions.orders import End
from autonomy.sessions.refusal import Refused, check
from autonomy.sessions.sandbox import Bounds, forswear, group_of, prepared
from autonomy.sessions.temps import Temps
from autonomy.sessions.watch import Doom, Running
from autonomy.sessions.wire import BadMessage, Channel, Message

_CHUNK = 65_536
_LARGEST_ORDER = 4_000_000
_UNSENT_OUTPUT = 1_000_000
_MOST_READS = 64
_END_SECONDS = 5


class Zygote:
    """Serves orders until its supervisor is gone."""

    def __init__(
        self, channel: Channel, bounds: Bounds, *, lease_seconds: float, patience: float
    ) -> None:
        self._channel = channel
        self._bounds = bounds
        spare = bounds.isolation.namespaces and namespaces.is_root()
        self._networks = Networks() if spare else None
        self._lease_seconds = lease_seconds
        self._patience = patience
        self._running: dict[int, Running] = {}
        self._removing: set[int] = set()
        self._temps = Temps()
        self._strays = False
        self._selector = selectors.DefaultSelector()
        self._deaths, wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, self._orphaned)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        self._selector.register(self._deaths, selectors.EVENT_READ, self._reap)
        self._selector.register(channel, selectors.EVENT_READ, self._hear)

    def serve(self) -> None:
        """Fork, watch and bury until the supervisor hangs up; then leave nothing behind."""
        while not self._channel.closed:
            self._listen()
            self._handle(self._pause())
            self._watch()
        self._end_all()

    def _handle(self, pause: float | None) -> None:
        for key, events in self._selector.select(pause):
            if events & selectors.EVENT_WRITE:
                self._channel.flush()
            if events & selectors.EVENT_READ:
                key.data()

    def _listen(self) -> None:
        writing = selectors.EVENT_WRITE if self._channel.waiting else 0
        self._selector.modify(self._channel, selectors.EVENT_READ | writing, self._hear)

    def _pause(self) -> float | None:
        """How long nothing has to be done; without sessions, until somebody calls."""
        if self._strays:
            return 0.1
        if not self._running:
            return None
        due = min(session.due(self._lease_seconds) for session in self._running.values())
        return None if due == math.inf else max(0.0, due - clock.seconds())

    def _orphaned(self, *_: object) -> None:
        self._channel.closed = True

    def _hear(self) -> None:
        try:
            for message in self._channel.receive():
                self._obey(message)
        except BadMessage as error:
            sys.stderr.write(f"zygote: {error}\n")
            self._channel.closed = True

    def _obey(self, message: Message) -> None:
        doors: dict[str, Callable[[Any], None]] = {
            "spawn": self._spawn,
            "renewed": self._renew,
            "cancel": self._cancel,
            "kill": self._kill,
            "look": self._begin_look,
            "looked": self._end_look,
        }
        for name, value in message.items():
            doors[name](value)

    def _renew(self, renewed: dict[str, Any]) -> None:
        """Leases are counted from when they were asked for, however late the news is read."""
        at = min(float(renewed["at"]), clock.seconds())
        for session in self._of(renewed["ids"]):
            session.renewed = max(session.renewed, at)

    def _cancel(self, session_id: str) -> None:
        for session in self._of([session_id]):
            session.cancel(clock.seconds(), patience=self._patience)

    def _kill(self, order: Message) -> None:
        for session in self._of([order["session_id"]]):
            session.end(Doom(End(order["ended"]), order["limit"], order["error"]))

    def _begin_look(self, look: Message) -> None:
        for session in self._of([look["session_id"]]):
            session.look(clock.seconds(), look["wall_seconds"], leased_at=look["leased_at"])

    def _end_look(self, session_id: str) -> None:
        for session in self._of([session_id]):
            session.rest()

    def _of(self, ids: list[str]) -> list[Running]:
        wanted = set(ids)
        return [s for s in self._running.values() if s.envelope.session_id in wanted]

    def _spawn(self, order: Message) -> None:
        envelope = Envelope.from_json(order)
        sock = self._channel.taken_fd()
        network = self._network_for(envelope)
        try:
            check(envelope, self._bounds.isolation)
            component = component_of(envelope)
            if envelope.uid is not None:
                group_of(envelope.uid)
            envelope = self._temps.made_for(envelope)
            session = begun(envelope, component, self._bounds, sock, network)
        except (NotLoaded, Refused, OSError) as error:
            self._take_back(network)
            self._tell("ended", envelope, refused(error))
        else:
            self._running[session.pid] = session
            self._selector.register(session.pipe, selectors.EVENT_READ, lambda: self._read(session))
            self._tell("started", envelope, {"pid": session.pid})
        finally:
            os.close(sock)

    def _network_for(self, envelope: Envelope) -> int | None:
        """A network that is there already, for those who may have a used one."""
        own = envelope.foreign_code or envelope.scope.network or envelope.scope.loopback
        return self._networks.take() if self._networks and not own else None

    def _take_back(self, network: int | None) -> None:
        if self._networks and network is not None:
            self._networks.give_back(network)

    def _read(self, session: Running) -> None:
        """Take what a session printed; one chunk at a time, so that others get their turn."""
        if session.pipe < 0:  # it was buried since the selector was asked
            return
        try:
            data = os.read(session.pipe, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(session.pipe)
            return
        self._pass_on(session, session.printed(data))

    def _pass_on(self, session: Running, text: str) -> None:
        """Stream output while the supervisor takes it; otherwise count what it did not see."""
        if self._channel.waiting > _UNSENT_OUTPUT:
            session.unsent += len(text)
            return
        if session.unsent:
            text = f"[… {session.unsent} characters not shown …]\n{text}"
            session.unsent = 0
        if text:
            self._tell("output", session.envelope, {"text": text})

    def _watch(self) -> None:
        now = clock.seconds()
        for session in self._running.values():
            session.watch(now, lease_seconds=self._lease_seconds)
        if self._strays:
            self._sweep()

    def _reap(self) -> None:
        os.read(self._deaths, _CHUNK)
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._removing.discard(pid)
            session = self._running.pop(pid, None)
            if session:
                peak, cpu = used.ru_maxrss * 1024, used.ru_utime + used.ru_stime
                self._bury(session, status, cpu, peak)

    def _bury(self, session: Running, status: int, cpu: float, peak: int) -> None:
        """Leave nothing of it, and tell how it ended."""
        self._take_back(session.network)
        if not self._bounds.isolation.namespaces:
            self._end_leftovers(session)
        self._drain(session)
        self._removing.update(self._temps.begin_removal(session.envelope))
        self._tell("ended", session.envelope, session.buried(status, cpu, peak, clock.seconds()))

    def _end_leftovers(self, session: Running) -> None:
        session.kill_group()
        uid = session.envelope.uid
        if uid is not None and all(uid != other.envelope.uid for other in self._running.values()):
            end_all_of(uid)
        self._sweep()

    def _sweep(self) -> None:
        self._strays = not end_strays({*self._running, *self._removing})

    def _drain(self, session: Running) -> None:
        """What it printed last."""
        for _ in range(_MOST_READS):
            if session.pipe not in self._selector.get_map():
                break
            self._read(session)
        if session.pipe in self._selector.get_map():
            self._selector.unregister(session.pipe)
        os.close(session.pipe)
        session.pipe = -1
        self._pass_on(session, session.output.feed(b"", final=True))

    def _end_all(self) -> None:
        """Kill every session, and wait until they are gone."""
        for session in self._running.values():
            session.end(Doom(End.LOST, error="the supervisor is gone"))
        self._selector.unregister(self._channel)
        until = clock.seconds() + _END_SECONDS
        while self._running and clock.seconds() < until:
            self._handle(0.2)
        self._temps.remove()

    def _tell(self, what: str, envelope: Envelope, more: Message) -> None:
        self._channel.send({what: {"session_id": envelope.session_id, **more}})


def main() -> None:
    """Load, freeze, tell, serve."""
    given = _arguments()
    # Its end is the end of its supervisor. What is blocked reaches a session when it can take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # sessions use them too
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    kernel.die_with_parent(signal.SIGHUP)
    kernel.inherit_orphans()
    os.set_inheritable(given.socket, False)  # noqa: FBT003
    channel = Channel(socket.socket(fileno=given.socket), largest=_LARGEST_ORDER, takes_fds=True)
    found = isolation.probe().at_most(given.strongest)
    forswear(found)
    news = {**loaded(tuple(given.folders)), "isolation": found.as_json()}
    bounds = prepared(found, given.folders, given.protected)
    zygote = Zygote(channel, bounds, lease_seconds=given.lease_seconds, patience=given.patience)
    gc.collect()
    gc.freeze()
    channel.send({"loaded": news})
    zygote.serve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--lease-seconds", type=float, required=True)
    parser.add_argument("--patience", type=float, required=True)
    parser.add_argument("--strongest", type=int, required=True)
    parser.add_argument("--protected", type=Path, action="append", default=[])
    parser.add_argument("folders", type=Path, nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing that a module asked for at exit is wanted here
