"""The checks of a file, and how they combine: `all_of`, `any_of`, `eventually`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autonomy.domain.amounts import BadAmount, seconds
from autonomy.sdk.context import VerifierContext
from autonomy.sdk.evidence import Check, Evidence, all_of, any_of, eventually
from autonomy.skillfiles.answers import AskingAgain, asking_again_of
from autonomy.skillfiles.checks import LIBRARY, Look, looking_of
from autonomy.skillfiles.errors import UnknownKey, WrongValue
from autonomy.skillfiles.places import At, Values
from autonomy.skillfiles.shape import Eventually, HttpCheck, parsed

_HTTP = "http"
_EVENTUALLY = "eventually"
_TOGETHER: dict[str, Callable[..., Evidence]] = {"all_of": all_of, "any_of": any_of}


@dataclass(frozen=True)
class Together:
    """Several looks as one."""

    combine: Callable[..., Evidence]
    parts: Sequence[Look]

    def look(self, ctx: VerifierContext, values: Values) -> Evidence:
        """Look at all of them."""
        return self.combine(*(part.look(ctx, values) for part in self.parts))


@dataclass(frozen=True)
class InTime:
    """A look at what has some time left to become so."""

    part: Look
    within: str

    def look(self, ctx: VerifierContext, values: Values) -> Check | Evidence:
        """What is not so yet is open until then; the node looks again."""
        return eventually(self.part.look(ctx, values), within=self.within)


def look_of(check: Any, places: frozenset[str], hosts: frozenset[str], at: At) -> Look:
    """What one item under `verify` declares; raises BadSkillFile."""
    if not isinstance(check, dict) or len(check) != 1:
        raise WrongValue("each check is one name with its parameters under it", at=at)
    [(name, given)] = check.items()
    here = (*at, name)
    if name in _TOGETHER:
        return Together(_TOGETHER[name], looks_of(given, places, hosts, here))
    if name == _EVENTUALLY:
        return _in_time(parsed(Eventually, given, here), places, hosts, here)
    if name == _HTTP:
        return asking_again_of(parsed(HttpCheck, given, here), places, hosts, here)
    if name not in LIBRARY:
        there = ", ".join(sorted([*LIBRARY, *_TOGETHER, _EVENTUALLY, _HTTP]))
        raise UnknownKey(f"there is no check {name!r}; there are: {there}", at=here)
    return looking_of(check, places, at)


def looks_of(
    checks: Any, places: frozenset[str], hosts: frozenset[str], at: At
) -> tuple[Look, ...]:
    """A list of checks."""
    if not isinstance(checks, list) or not checks:
        raise WrongValue("write a list of checks", at=at)
    return tuple(look_of(check, places, hosts, (*at, n)) for n, check in enumerate(checks))


def _in_time(given: Eventually, places: frozenset[str], hosts: frozenset[str], at: At) -> InTime:
    try:
        seconds(given.within)
    except BadAmount as error:
        raise WrongValue(str(error), at=(*at, "within")) from None
    return InTime(look_of(given.of, places, hosts, (*at, "of")), given.within)


def hosts_of(looks: Sequence[Look]) -> frozenset[str]:
    """Where the looks send requests, however they are combined."""
    found: frozenset[str] = frozenset()
    for look in looks:
        match look:
            case AskingAgain():
                found |= {look.asking.host}
            case Together():
                found |= hosts_of(look.parts)
            case InTime():
                found |= hosts_of([look.part])
    return found
