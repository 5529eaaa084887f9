"""What the loaded modules and files declare, and what could not be loaded (C-13)."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, str]  # kind, name


@dataclass
class Registry:
    """Declared components by kind and name, where from, and what went wrong while loading."""

    components: dict[Key, Any] = field(default_factory=dict)
    sources: dict[Key, tuple[Path, ...]] = field(default_factory=dict)
    """The files or folders that a component is made of: when one changes, it is another version."""
    problems: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Any]:
        """All components of one kind, by name, in order of name."""
        return {name: item for (k, name), item in sorted(self.components.items()) if k == kind}

    def drop(self, keys: set[Key]) -> None:
        """Forget components: the module that declared them broke further down."""
        for key in keys:
            del self.components[key]
            self.sources.pop(key, None)


_current = Registry()


def current() -> Registry:
    """The registry of this process."""
    return _current


def add(kind: str, name: str, component: Any, sources: tuple[Path, ...] = ()) -> None:
    """Declare a component. A name that is already taken is kept as a problem.

    Without `sources` it is made of the package of its module, or of a module that stands alone.
    """
    key = (kind, name)
    here = sources or source_of_module(component.module)
    if key in _current.components:
        first, second = _told(_current.sources[key]), _told(here)
        where = f"twice in {first}" if first == second else f"in {first} and again in {second}"
        _current.problems[f"{kind} {name}"] = f"NameTaken: declared {where}; rename one of them"
        return
    _current.components[key] = component
    _current.sources[key] = here


def source_of_module(name: str) -> tuple[Path, ...]:
    """The folder of a module's package, or the file of one that is in none."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if not file:
        return ()
    alone = "." not in name and not hasattr(module, "__path__")
    return (Path(file) if alone else Path(file).parent,)


def _told(sources: tuple[Path, ...]) -> str:
    return str(sources[0]) if sources else "a module without a file"
