"""What can be wrong with a skill file. Each says where, and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A place in a file, counted from one."""

    line: int
    column: int


class BadSkillFile(Exception):
    """A skill file that cannot be used."""

    def __init__(
        self, problem: str, place: Place | None = None, at: tuple[str | int, ...] | None = None
    ) -> None:
        """Either the place is known, or the keys that lead `at` it."""
        super().__init__(problem)
        self.problem = problem
        self.place = place
        self.at = at

    def told(self, file: str) -> str:
        """The last line of it, as a traceback would end: what kind, where, what to do."""
        where = f", line {self.place.line}, column {self.place.column}" if self.place else ""
        return f"{type(self).__name__}: {file}{where}: {self.problem}"


class FileTooLarge(BadSkillFile):
    """More bytes, or more parts, than a skill could need."""


class TooDeep(BadSkillFile):
    """Nested deeper than a skill could need."""


class AliasRefused(BadSkillFile):
    """An anchor or an alias: a few bytes of them can stand for gigabytes."""


class TagRefused(BadSkillFile):
    """A tag, which would make something else of a value than what it looks like."""


class DuplicateKey(BadSkillFile):
    """A key that is there twice, so that nobody can tell which one counts."""


class NotYaml(BadSkillFile):
    """The file cannot be read as YAML."""


class UnknownKey(BadSkillFile):
    """A key that no skill file has."""


class MissingKey(BadSkillFile):
    """A key that every skill file has."""


class WrongValue(BadSkillFile):
    """A value that does not fit its key."""
