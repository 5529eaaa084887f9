"""The sockets of a pool: one to the zygote, one to every session. Nothing here waits."""

import selectors
import socket
import sys
from collections.abc import Iterator

from autonomy.sessions.talk import Talk
from autonomy.sessions.wire import BadMessage, Channel, Message

_LARGEST_NEWS = 16_000_000


class Switchboard:
    """Sends at once or later, and tells who has said something."""

    def __init__(self, zygote: socket.socket) -> None:
        self._selector = selectors.DefaultSelector()
        self._zygote = Channel(zygote, largest=_LARGEST_NEWS)
        self._selector.register(self._zygote, selectors.EVENT_READ)

    @property
    def alive(self) -> bool:
        """Whether the zygote is there."""
        return not self._zygote.closed

    def fileno(self) -> int:
        """Readable when somebody has said something, or room has come for what waits."""
        return self._selector.fileno()

    def wait(self, seconds: float) -> None:
        """Until something comes, or the time is over."""
        self._selector.select(seconds)

    def add(self, talk: Talk) -> None:
        """Listen to a session."""
        self._selector.register(talk.channel, selectors.EVENT_READ, talk)

    def drop(self, talk: Talk) -> None:
        """Stop listening to a session that has hung up, or is hung up on."""
        if talk.channel in self._selector.get_map():
            self._selector.unregister(talk.channel)

    def tell(self, talk: Talk, message: Message) -> None:
        """Send to a session."""
        talk.channel.send(message)
        self._listen(talk.channel, talk)

    def tell_zygote(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send to the zygote."""
        self._zygote.send(message, fds)
        self._listen(self._zygote, None)

    def talking(self) -> Iterator[Talk]:
        """The sessions that have said something; what waits to be sent is sent on the way."""
        for key, ready in self._selector.select(0):
            channel = self._zygote if key.data is None else key.data.channel
            if ready & selectors.EVENT_WRITE:
                channel.flush()
                self._listen(channel, key.data)
            if key.data is not None and ready & selectors.EVENT_READ:
                yield key.data

    def news(self) -> Iterator[Message]:
        """What the zygote has said; one that talks nonsense is taken for dead."""
        try:
            yield from self._zygote.receive()
        except BadMessage as error:
            sys.stderr.write(f"zygote: {error}\n")
            self._zygote.closed = True

    def close(self) -> None:
        """Hang up on the zygote."""
        self._zygote.close()
        self._selector.close()

    def _listen(self, channel: Channel, talk: Talk | None) -> None:
        """Ask to be told of what can be read, and of room where something waits to be sent."""
        if channel not in self._selector.get_map():
            return
        waiting = selectors.EVENT_WRITE if channel.waiting else 0
        self._selector.modify(channel, selectors.EVENT_READ | waiting, talk)
