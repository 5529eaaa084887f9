"""What a skill may touch outside its own folder (F-10)."""

from pydantic import BaseModel, ConfigDict


class Scope(BaseModel):
    """Paths a session may read or write beyond its folder, and whether it has a network.

    A path may name arguments of the skill: `Scope(write=("{origin}",))`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool = False

    def resolved(self, args: dict[str, object]) -> "Scope":
        """The scope with the arguments of one task put in; raises KeyError for an unknown name."""
        return Scope(
            read=tuple(path.format_map(args) for path in self.read),
            write=tuple(path.format_map(args) for path in self.write),
            network=self.network,
        )
