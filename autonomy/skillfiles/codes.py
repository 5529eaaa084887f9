"""What an exit code or an HTTP status means: it worked, try again, or never."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from autonomy.skillfiles.shape import Result

_CANNOT_RUN = ("126", "127")
_NOTHING_DONE = ("408", "425", "429", "503")
_MAY_BE_DONE = ("500", "502", "504")


class Meaning(Enum):
    """How an answer is treated."""

    OK = "ok"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNCLEAR = "unclear"  # it may have happened


@dataclass(frozen=True)
class Codes:
    """Which codes mean what: `404`, or `5xx` for a class."""

    ok: Sequence[str]
    transient: Sequence[str] = ()
    permanent: Sequence[str] = ()
    unclear: Sequence[str] = ()
    otherwise: Meaning = Meaning.PERMANENT

    def meaning(self, code: int) -> Meaning:
        """What this one means; an exact code counts for more than its class."""
        for as_written in (str(code), f"{code // 100}xx"):
            for meaning, codes in (
                (Meaning.OK, self.ok),
                (Meaning.TRANSIENT, self.transient),
                (Meaning.PERMANENT, self.permanent),
                (Meaning.UNCLEAR, self.unclear),
            ):
                if as_written in codes:
                    return meaning
        return self.otherwise


def codes_of_command(given: Result, *, once: bool) -> Codes:
    """What exit codes mean: nobody knows how far a command came that failed in another way."""
    own = {*given.transient, *given.permanent}
    return Codes(
        ok=given.ok or ("0",),
        transient=given.transient,
        permanent=(*given.permanent, *(code for code in _CANNOT_RUN if code not in own)),
        otherwise=Meaning.PERMANENT if once else Meaning.TRANSIENT,
    )


def codes_of_http(given: Result, *, once: bool) -> Codes:
    """What statuses mean: after some of them a request may have been carried out."""
    own = {*(given.ok or ()), *given.transient, *given.permanent}
    again = _NOTHING_DONE if once else (*_NOTHING_DONE, *_MAY_BE_DONE)
    return Codes(
        ok=given.ok or ("2xx",),
        transient=(*given.transient, *(code for code in again if code not in own)),
        permanent=given.permanent,
        unclear=("5xx",) if once and "5xx" not in own else (),
    )
