"""What a session prints: streamed on, and its beginning and end kept (C-17)."""

import codecs
import io
import re

from autonomy.sessions.text import printable

_HEAD = 16_384
_TAIL = 49_152

LEFT_OUT = re.compile(r"\[… (\d+) characters left out …\]")
"""What stands between the beginning and the end of an output that was too long."""


class Output:
    """Takes bytes as they come, gives text that is fit to be shown."""

    def __init__(self) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._head = ""
        self._tail = ""
        self._left_out = 0
        self.total = 0

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text in these bytes and in what was left of the last ones."""
        self.total += len(data)
        text = printable(self._decoder.decode(data, final=final))
        self._keep(text)
        return text

    @property
    def truncated(self) -> bool:
        """Whether something was left out of what is kept."""
        return self._left_out > 0

    def kept(self) -> str:
        """The beginning and the end, with a mark where something was left out."""
        if not self._left_out:
            return self._head + self._tail
        return f"{self._head}\n[… {self._left_out} characters left out …]\n{self._tail}"

    def _keep(self, text: str) -> None:
        room = _HEAD - len(self._head)
        self._head += text[:room]
        tail = self._tail + text[room:]
        self._left_out += max(0, len(tail) - _TAIL)
        self._tail = tail[-_TAIL:]
