"""Messages between a session, its zygote and its supervisor."""

import os
import socket
import struct
from collections.abc import Iterator

import pytest

from autonomy.sessions.wire import BadMessage, Channel, Silence, ask, encoded, heard

Pair = tuple[Channel, Channel]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of one channel."""
    left, right = socket.socketpair()
    ends = Channel(left, largest=1_000), Channel(right, largest=1_000, takes_fds=True)
    yield ends
    for end in ends:
        end.close()


def test_what_is_sent_is_received_in_order(pair: Pair) -> None:
    left, right = pair
    for number in range(3):
        left.send({"number": number, "text": "ä\n"})

    assert list(right.receive()) == [{"number": n, "text": "ä\n"} for n in range(3)]


def test_half_a_message_waits_for_its_other_half(pair: Pair) -> None:
    left, right = pair
    data = encoded({"number": 1})
    left.sock.send(data[:7])
    first = list(right.receive())
    left.sock.send(data[7:])

    assert (first, list(right.receive())) == ([], [{"number": 1}])


def test_what_nobody_takes_is_kept_and_sent_later(pair: Pair) -> None:
    left, right = pair
    while not left.waiting:
        left.send({"text": "x" * 900})
    sent = 0
    while left.waiting or sent == 0:
        sent += len(list(right.receive()))
        left.flush()

    assert sent > 10
    assert left.waiting == 0


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!I", 1_001),
        struct.pack("!I", 5) + b"hello",
        struct.pack("!I", 2) + b"[]",
        struct.pack("!I", 14) + b'{"a":"\\u0000"}',
        struct.pack("!I", 14) + b'{"a":"\\ud800"}',
        struct.pack("!I", 900) + b"[" * 900,
    ],
)
def test_nonsense_is_refused(pair: Pair, data: bytes) -> None:
    left, right = pair
    left.sock.send(data)

    with pytest.raises(BadMessage):
        list(right.receive())


def test_the_end_is_noticed(pair: Pair) -> None:
    left, right = pair
    left.close()

    assert list(right.receive()) == []
    assert right.closed


def test_descriptors_travel_with_their_message(pair: Pair) -> None:
    left, right = pair
    read, write = os.pipe()
    left.send({"pipe": 1}, (write,))
    assert list(right.receive()) == [{"pipe": 1}]
    taken = right.taken_fd()
    os.write(taken, b"through")

    assert os.read(read, 10) == b"through"
    os.close(read)
    os.close(taken)


def test_descriptors_are_not_taken_from_those_who_should_send_none(pair: Pair) -> None:
    left, right = pair
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    socket.send_fds(right.sock, [encoded({"here": 1})], [0])

    assert list(left.receive()) == [{"here": 1}]
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    with pytest.raises(BadMessage):
        left.taken_fd()


@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan"), object()])
def test_what_cannot_be_stored_is_not_sent(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encoded({"value": value})


def test_inside_a_session_every_wait_ends() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(0.05)
        ask(right, {"number": 1})
        assert heard(left, 100) == {"number": 1}

        with pytest.raises(Silence):
            heard(left, 100)
