"""The process that has loaded every skill and forks a session for each order (C-14).

It holds no database, no Django and no secret. It enforces every limit and every lease by itself,
because its supervisor may be waiting for a database that has frozen.
"""

import argparse
import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autonomy.sdk import registry
from autonomy.sessions import child, clock, kernel
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.orders import End, Purpose
from autonomy.sessions.sources import packages
from autonomy.sessions.watch import Doom, Running
from autonomy.sessions.wire import BadMessage, Channel, Message

_CHUNK = 65_536
_LARGEST_ORDER = 4_000_000
_UNSENT_OUTPUT = 1_000_000
_MOST_READS = 64


class Zygote:
    """Serves orders until its supervisor is gone."""

    def __init__(self, channel: Channel, *, lease_seconds: float, patience: float) -> None:
        self._channel = channel
        self._lease_seconds = lease_seconds
        self._patience = patience
        self._running: dict[int, Running] = {}
        self._selector = selectors.DefaultSelector()
        self._deaths, wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        self._selector.register(self._deaths, selectors.EVENT_READ, self._reap)
        self._selector.register(channel, selectors.EVENT_READ, self._hear)

    def serve(self) -> None:
        """Fork, watch and bury until the supervisor hangs up; then leave nothing behind."""
        while not self._channel.closed:
            self._listen()
            for key, events in self._selector.select(self._pause()):
                if events & selectors.EVENT_WRITE:
                    self._channel.flush()
                if events & selectors.EVENT_READ:
                    key.data()
            self._watch()
        self._end_all()

    def _listen(self) -> None:
        writing = selectors.EVENT_WRITE if self._channel.waiting else 0
        self._selector.modify(self._channel, selectors.EVENT_READ | writing, self._hear)

    def _pause(self) -> float | None:
        """How long nothing has to be done; without sessions, until somebody calls."""
        if not self._running:
            return None
        due = min(session.due() for session in self._running.values())
        return max(0.0, due - clock.seconds())

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
            session.end(Doom(End.FAILED, error=order["error"]))

    def _of(self, ids: list[str]) -> list[Running]:
        wanted = set(ids)
        return [s for s in self._running.values() if s.envelope.session_id in wanted]

    def _spawn(self, order: Message) -> None:
        envelope = Envelope.from_json(order)
        sock = self._channel.taken_fd()
        try:
            self._fork(envelope, _component(envelope), sock)
        except (_NotLoaded, OSError) as error:
            self._tell("ended", envelope, {"ended": End.REFUSED, "error": str(error)})
        finally:
            os.close(sock)

    def _fork(self, envelope: Envelope, component: Any, sock: int) -> None:
        pipe, output = os.pipe2(os.O_CLOEXEC)
        now = clock.seconds()
        try:
            pid = os.fork()
            if pid == 0:
                os.setsid()
                kernel.die_with_parent(signal.SIGKILL)
                child.main(envelope, component, sock, output)
        except OSError:
            os.close(pipe)
            raise
        finally:
            os.close(output)
        os.set_blocking(pipe, False)
        session = Running(envelope, pid, pipe, started=now, renewed=envelope.leased_at)
        session.look_at = now + 0.1
        self._running[pid] = session
        self._selector.register(pipe, selectors.EVENT_READ, lambda: self._read(session))
        self._tell("started", envelope, {"pid": pid})

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

    def _reap(self) -> None:
        os.read(self._deaths, _CHUNK)
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            session = self._running.pop(pid, None)
            if session:
                peak, cpu = used.ru_maxrss * 1024, used.ru_utime + used.ru_stime
                self._bury(session, status, cpu, peak)

    def _bury(self, session: Running, status: int, cpu: float, peak: int) -> None:
        session.kill()
        for _ in range(_MOST_READS):
            if session.pipe not in self._selector.get_map():
                break
            self._read(session)
        if session.pipe in self._selector.get_map():
            self._selector.unregister(session.pipe)
        os.close(session.pipe)
        session.pipe = -1
        self._pass_on(session, session.output.feed(b"", final=True))
        self._tell("ended", session.envelope, session.buried(status, cpu, peak, clock.seconds()))

    def _end_all(self) -> None:
        for session in self._running.values():
            session.end(Doom(End.LOST, error="the supervisor is gone"))

    def _tell(self, what: str, envelope: Envelope, more: Message) -> None:
        self._channel.send({what: {"session_id": envelope.session_id, **more}})


class _NotLoaded(Exception):
    """The component, or this version of it, is not loaded here."""


def _component(envelope: Envelope) -> Any:
    kind = "detector" if envelope.purpose is Purpose.DETECT else "skill"
    component = registry.current().components.get((kind, envelope.component))
    if component is None:
        raise _NotLoaded(f"{kind} {envelope.component!r} is not loaded on this node")
    if envelope.version not in ("", component.version):
        raise _NotLoaded(
            f"version {envelope.version} of {envelope.component} is not loaded; "
            f"{component.version} is"
        )
    return component


def loaded(folders: tuple[Path, ...]) -> Message:
    """Load everything; what there is, and what could not be loaded."""
    found = registry.load(folders)
    return {
        "components": [_declared(kind, item) for (kind, _), item in found.components.items()],
        "problems": found.problems,
        "packages": {str(path): version for path, version in packages(folders).items()},
    }


def _declared(kind: str, component: Any) -> Message:
    return {
        "kind": kind,
        "name": component.name,
        "version": component.version,
        "tier": component.tier,
        "owner": component.owner,
        "description": component.description,
        "module": component.module,
        "declaration": component.declaration(),
    }


def main() -> None:
    """Load, freeze, tell, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--lease-seconds", type=float, required=True)
    parser.add_argument("--patience", type=float, required=True)
    parser.add_argument("folders", type=Path, nargs="*")
    given = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):  # its end is the end of its supervisor
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=given.socket), largest=_LARGEST_ORDER, takes_fds=True)
    os.set_inheritable(given.socket, False)  # noqa: FBT003
    channel.send({"loaded": loaded(tuple(given.folders))})
    zygote = Zygote(channel, lease_seconds=given.lease_seconds, patience=given.patience)
    gc.collect()
    gc.freeze()
    zygote.serve()


if __name__ == "__main__":
    main()
