"""What a skill may touch outside its own folder (F-10)."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from autonomy.sdk.templates import BadTemplate, Template, plain, read


class BadScope(ValueError):
    """A path of a scope cannot be made of the arguments."""


class Scope(BaseModel):
    """Paths a session may read or write beyond its folder, and whom it may talk to.

    `network` is the node's. `loopback` is one of its own, where only its own processes are.

    A path may name arguments of the skill: `Scope(write=("{origin}",))`. Where it goes on from
    there, or begins before it, nothing leads out of that folder: `/srv/inbox/{name}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    network: bool = False
    loopback: bool = False
    hosts: tuple[str, ...] = ()
    """With a network: where skills in YAML may send requests, as `host` or `host:port`."""
    within: tuple[tuple[str, str], ...] = ()
    """Of a scope that was resolved: a path, and the folder that links in it may not leave."""

    def check(self, arguments: Iterable[str]) -> None:
        """Raise BadScope for what no arguments can make a path of."""
        names = frozenset(arguments)
        for path in (*self.read, *self.write):
            template = _template(path, names)
            if not path.startswith("/") and template.first is None:
                raise BadScope(f"{path!r} is no absolute path; begin it with / or with an argument")
            if ".." in path.split("/"):
                raise BadScope(f"{path!r} leads upwards; name the folder itself")

    def resolved(self, args: Mapping[str, object]) -> "Scope":
        """The scope with the arguments of one task put in; raises BadScope."""
        made = {path: _filled(path, args) for path in (*self.read, *self.write)}
        return self.model_copy(
            update={
                "read": tuple(made[path] for path in self.read),
                "write": tuple(made[path] for path in self.write),
                "within": tuple((made[path], top) for path in made if (top := _top(path, args))),
            }
        )


def _template(path: str, names: frozenset[str]) -> Template:
    try:
        [template] = read([path], names)
    except BadTemplate as error:
        raise BadScope(f"its scope: {error}") from None
    return template


def _filled(path: str, args: Mapping[str, object]) -> str:
    """The path, with each argument as a part that leads nowhere else."""
    template = _template(path, frozenset(args))
    first = template.first
    return template.filled(lambda name: _part(path, name, args[name], begins=name == first))


def _part(path: str, name: str, value: object, *, begins: bool) -> str:
    text = plain(value) if isinstance(value, str | int | float) else ""
    steps = text.split("/")
    if not text or "\0" in text or ".." in steps:
        raise BadScope(f"the path {path!r} of its scope cannot be made with {name}={value!r}")
    if begins and not text.startswith("/"):
        raise BadScope(f"{name}={value!r} is no absolute path, and {path!r} of its scope needs one")
    if not begins and (text.startswith("/") or "." in steps):
        raise BadScope(f"{name}={value!r} cannot be a part of the path {path!r} of its scope")
    return text


def _top(path: str, args: Mapping[str, object]) -> str:
    """The folder that a path may not lead out of, whatever links lie in it; empty for none."""
    template = _template(path, frozenset(args))
    if not template.names or template.alone:
        return ""
    literal = template.parts[0][0]
    return (literal.rpartition("/")[0] or "/") if literal else plain(args[template.first or ""])
