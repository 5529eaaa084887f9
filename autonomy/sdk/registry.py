"""What the loaded modules declare, and the modules that could not be loaded (C-13)."""

import hashlib
import importlib.metadata
import importlib.util
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENTRY_POINTS = "autonomy.components"


@dataclass
class Registry:
    """Declared components by kind and name, and what went wrong while loading."""

    components: dict[tuple[str, str], Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Any]:
        """All components of one kind, by name, in order of name."""
        return {name: item for (k, name), item in sorted(self.components.items()) if k == kind}


_current = Registry()


def current() -> Registry:
    """The registry of this process."""
    return _current


def add(kind: str, name: str, component: Any) -> None:
    """Declare a component. A name already taken by another module is kept as a problem."""
    taken = _current.components.get((kind, name))
    if taken is not None and taken.module != component.module:
        _current.problems[f"{kind} {name}"] = (
            f"declared in {taken.module} and again in {component.module}; rename one of them"
        )
        return
    _current.components[kind, name] = component


def load(folders: tuple[Path, ...]) -> Registry:
    """Import every module of the folders and every entry point; a broken one stops nothing else."""
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        _guarded(entry.value, entry.load)
    for folder in folders:
        for source in sorted(folder.glob("*.py")):
            _guarded(str(source), lambda source=source: _import(source))
        version = version_of(folder)
        for component in _current.components.values():
            module = sys.modules.get(component.module)
            if module and Path(str(module.__file__)).parent == folder:
                component.version = version
    for component in _current.components.values():
        if not component.version:
            component.version = version_of(Path(str(sys.modules[component.module].__file__)).parent)
    return _current


def _guarded(name: str, act: Any) -> None:
    try:
        act()
    except (Exception, SystemExit):  # noqa: BLE001 -- a module of a stranger may raise anything
        _current.problems[name] = traceback.format_exc(limit=-4)


def _import(source: Path) -> None:
    """Import a file of a project folder under the folder's name: siblings can be imported."""
    folder = source.parent
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    name = folder.name if source.stem == "__init__" else f"{folder.name}.{source.stem}"
    importlib.import_module(name)


def version_of(folder: Path) -> str:
    """A hash over the sources of a package: any change of its code is a new version."""
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        name = str(source.relative_to(folder)).encode()
        digest.update(name + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
