"""What a skill may touch outside its own folder (F-10)."""

from pydantic import BaseModel, ConfigDict


class BadScope(ValueError):
    """A path of a scope cannot be made of the arguments."""


class Scope(BaseModel):
    """Paths a session may read or write beyond its folder, and whether it has a network.

    A path may name arguments of the skill: `Scope(write=("{origin}",))`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool = False

    def resolved(self, args: dict[str, object]) -> "Scope":
        """The scope with the arguments of one task put in; raises BadScope."""
        return Scope(
            read=tuple(_filled(path, args) for path in self.read),
            write=tuple(_filled(path, args) for path in self.write),
            network=self.network,
        )


def _filled(path: str, args: dict[str, object]) -> str:
    try:
        return path.format_map(args)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise BadScope(f"the path {path!r} of its scope cannot be made: {error!r}") from None
