"""Messages on a socket: four bytes of length, then JSON. Descriptors travel beside them."""

import json
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

Message = dict[str, Any]

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 18
_MOST_FDS = 16
_NUL = b"\\u0000"
_SUSPECT = (_NUL, b"\\ud", b"\\uD")
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder().raw_decode


class BadMessage(ValueError):
    """The other side sent something that is not a message, or one that is too large."""


class Silence(Exception):
    """The other side is gone, or did not answer in time."""


def encoded(message: Message) -> bytes:
    """The bytes of a message; raises ValueError or TypeError for what JSON cannot hold."""
    body = _to_json(message).encode()
    if _NUL in body:
        _refuse_unstorable(message)
    return _LENGTH.pack(len(body)) + body


def decoded(body: bytes | bytearray) -> Message:
    """The message in the bytes; raises BadMessage."""
    try:
        text = body.decode()
        message, end = _from_json(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(message, dict) or end != len(text):
        raise BadMessage("not an object")
    if any(mark in body for mark in _SUSPECT):
        _refuse_unstorable(message)
    return message


class Channel:
    """One end of a socket pair that is never waited for: what cannot be sent yet is kept."""

    def __init__(self, sock: socket.socket, *, largest: int, takes_fds: bool = False) -> None:
        sock.settimeout(0)
        self.sock = sock
        self.closed = False
        self._takes_fds = takes_fds
        self._largest = largest
        self._incoming = bytearray()
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._fds: deque[int] = deque()

    def fileno(self) -> int:
        """For selectors."""
        return self.sock.fileno()

    @property
    def waiting(self) -> int:
        """How many bytes have not been taken yet."""
        return sum(len(data) for data, _ in self._outgoing)

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send, or keep for later. The descriptors are closed here once they are sent."""
        self._outgoing.append((memoryview(encoded(message)), tuple(fds)))
        self.flush()

    def flush(self) -> None:
        """Send as much as is taken without waiting."""
        while self._outgoing and not self.closed:
            data, fds = self._outgoing[0]
            try:
                sent = socket.send_fds(self.sock, [data], fds) if fds else self.sock.send(data)
            except BlockingIOError:
                return
            except OSError:  # the other side is gone; whoever reads sees it too
                self.closed = True
                return
            _close(fds)
            self._outgoing.popleft()
            if sent < len(data):
                self._outgoing.appendleft((data[sent:], ()))

    def receive(self) -> Iterator[Message]:
        """The messages that have come whole; raises BadMessage. Sets `closed` at the end."""
        self._read()
        while len(self._incoming) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._incoming)
            if length > self._largest:
                raise BadMessage(f"a message of {length} bytes; at most {self._largest} are taken")
            end = _LENGTH.size + length
            if len(self._incoming) < end:
                return
            body = self._incoming[_LENGTH.size : end]
            del self._incoming[:end]
            yield decoded(body)

    def taken_fd(self) -> int:
        """The oldest descriptor that came and was not taken; raises BadMessage without one."""
        if not self._fds:
            raise BadMessage("a descriptor is missing")
        return self._fds.popleft()

    def close(self) -> None:
        """Close the socket and every descriptor still on its way."""
        self.closed = True
        for _, fds in self._outgoing:
            _close(fds)
        _close(self._fds)
        self._outgoing.clear()
        self._fds.clear()
        self.sock.close()

    def _read(self) -> None:
        try:
            data = self._with_fds() if self._takes_fds else self.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self.closed = True
            return
        self._incoming += data
        self.closed = self.closed or not data

    def _with_fds(self) -> bytes:
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        data, fds, _, _ = socket.recv_fds(self.sock, _CHUNK, _MOST_FDS, flags)
        self._fds.extend(fds)
        return data


def ask(sock: socket.socket, message: Message) -> None:
    """Send from inside a session, waiting at most the socket's timeout; raises Silence."""
    try:
        sock.sendall(encoded(message))
    except OSError as error:
        raise Silence(str(error)) from None


def heard(sock: socket.socket, largest: int) -> Message:
    """The next message, waiting at most the socket's timeout; raises Silence, BadMessage."""
    (length,) = _LENGTH.unpack(_exactly(sock, _LENGTH.size))
    if length > largest:
        raise BadMessage(f"a message of {length} bytes; at most {largest} are taken")
    return decoded(_exactly(sock, length))


def _exactly(sock: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = sock.recv(min(length - len(parts), _CHUNK))
        except OSError as error:
            raise Silence(str(error)) from None
        if not part:
            raise Silence("the other side is gone")
        parts += part
    return bytes(parts)


def _close(fds: Sequence[int] | deque[int]) -> None:
    for fd in fds:
        os.close(fd)


def _refuse_unstorable(value: Any) -> None:
    """Raise BadMessage for text that PostgreSQL cannot keep: NUL and lone surrogates."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise BadMessage("text holds a NUL or half a character, which cannot be stored")
    elif isinstance(value, dict):
        for item in value.items():
            _refuse_unstorable(list(item))
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)
