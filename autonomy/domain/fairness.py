"""Turns of origins (D-6): none keeps another waiting for more than a bounded number of dispatches.

An origin is owed a turn for each one that the leading origin is ahead of it. The lead is bounded:
once somebody is owed `lead` turns, only origins that are owed any may go.
"""

from collections.abc import Collection, Mapping


class Turns:
    """Who may go next, and what becomes of it; lives for one decision."""

    def __init__(self, owed: Mapping[str, int], lead: int) -> None:
        self._lead = lead
        self._owed = {name: min(max(turns, 0), lead) for name, turns in owed.items()}

    def most_owed(self, waiting: Collection[str]) -> int:
        """The largest debt among the waiting origins."""
        return max((self._owed.get(origin, 0) for origin in waiting), default=0)

    def may_go(self, origin: str, most_owed: int) -> bool:
        """Whether the origin may go while another one is owed this much."""
        return most_owed < self._lead or self._owed.get(origin, 0) > 0

    def take(self, origin: str, waiting: Collection[str]) -> None:
        """The origin goes: its debt shrinks, or it gets further ahead of all that wait."""
        if self._owed.get(origin, 0) > 0:
            self._owed[origin] -= 1
            return
        for other in waiting:
            if other != origin:
                self._owed[other] = min(self._owed.get(other, 0) + 1, self._lead)

    def owed(self, waiting: Collection[str]) -> dict[str, int]:
        """The debts to origins that still wait, in order of name: part of the next world."""
        return {
            origin: turns for origin in sorted(waiting) if (turns := self._owed.get(origin, 0)) > 0
        }
