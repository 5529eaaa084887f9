"""The private temporary folders of sessions, made by the zygote and gone with the session."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from autonomy.sessions.envelope import Envelope
from autonomy.sessions.leftovers import begin_removal
from autonomy.sessions.spares import Spares


class Temps:
    """Those that are in use, and those that nobody has touched."""

    def __init__(self) -> None:
        self._spares = Spares()

    def made_for(self, envelope: Envelope) -> Envelope:
        """With a temporary folder, where it wants one; raises OSError."""
        if not envelope.temp:
            return envelope
        temp = Path(envelope.temp)
        spare = self._spares.take((temp.parent, envelope.uid))
        if spare:
            self._spares.given(spare)
            return replace(envelope, temp=str(spare[0]))
        temp.mkdir(mode=0o700, exist_ok=True)
        if envelope.uid is not None:
            os.chown(temp, envelope.uid, -1)
        self._spares.given([temp])
        return envelope

    def begin_removal(self, envelope: Envelope) -> Iterator[int]:
        """Leave nothing in it; gives the processes that are at it, where that takes one."""
        if envelope.temp:
            temp = Path(envelope.temp)
            left = self._spares.give_back((temp.parent, envelope.uid), [temp])
            yield from filter(None, map(begin_removal, left))

    def remove(self) -> None:
        """Those that were kept for others."""
        for folders in self._spares.forget():
            for folder in folders:
                begin_removal(folder)
