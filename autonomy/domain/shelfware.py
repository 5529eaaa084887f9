"""What is declared and no good, and what runs and is not declared (C-26).

A flag is raised only for what is surely so: what is new has a day to show itself, what a person has
paused need not run, and a skill that only canaries run is not idle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What can be wrong with a component."""

    BROKEN = "broken"
    NO_OWNER = "no_owner"
    NEVER_RUN = "never_run"
    NEVER_VERIFIED = "never_verified"
    UNDECLARED = "undeclared"


@dataclass(frozen=True)
class Flag:
    """What is wrong with a component on the map, or with something that is not on it."""

    kind: str
    name: str
    problem: str
    words: str


@dataclass(frozen=True)
class Standing:
    """A declared component, and what the ledger knows of it."""

    kind: str
    name: str
    owner: str
    problem: str
    paused: bool
    is_new: bool
    has_verifier: bool
    has_run: bool
    has_verified: bool
    has_canaries: bool


def flags(standing: Standing) -> Iterable[Flag]:
    """What is wrong with a declared component."""

    def flag(problem: Problem, words: str) -> Flag:
        return Flag(standing.kind, standing.name, problem.value, words)

    if standing.problem:
        yield flag(Problem.BROKEN, standing.problem.strip().rpartition("\n")[2])
        return
    if not standing.owner:
        yield flag(Problem.NO_OWNER, "nobody is named as its owner")
    if not _is_expected_to_run(standing) or standing.has_verified:
        return
    if standing.has_run and not standing.has_verifier:
        yield flag(Problem.NEVER_VERIFIED, "it runs, and has no verifier that could prove it works")
    elif standing.has_run:
        yield flag(Problem.NEVER_VERIFIED, "it has run and was never verified")
    elif not standing.has_canaries:
        yield flag(Problem.NEVER_RUN, "it is declared and was never run")


def undeclared(kind: str, name: str, where: str) -> Flag:
    """Something that runs, or could, and that nobody declares."""
    return Flag(kind, name, Problem.UNDECLARED.value, f"{where}, and it is not on the map")


def _is_expected_to_run(standing: Standing) -> bool:
    """Only skills have outcomes; what is new or paused may well have none."""
    return standing.kind == "skill" and not standing.paused and not standing.is_new
