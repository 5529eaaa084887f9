"""What the zygote has loaded, and whether it has what an order asks for."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autonomy.sdk import registry
from autonomy.sdk.registry import Registry
from autonomy.sessions import modules
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.ground import open_to_all
from autonomy.sessions.namespaces import is_root
from autonomy.sessions.orders import Purpose
from autonomy.sessions.sources import packages, skill_files, version_of
from autonomy.sessions.wire import Message, encoded


class NotLoaded(Exception):
    """The component, or this version of it, is not loaded here."""


def loaded(folders: tuple[Path, ...]) -> Message:
    """Load everything; what there is, and what could not be loaded."""
    there = _readable(folders)
    modules.import_all(there)
    _load_files([file for folder in there for file in skill_files(folder)])
    found = registry.current()
    for key, component in found.components.items():
        component.version = component.version or _version_of(found.sources[key])
    components = list(_declared(found))
    return {
        "components": components,
        "problems": {**found.problems, **_threads()},
        "packages": {str(path): version for path, version in packages(folders).items()},
    }


def component_of(envelope: Envelope) -> Any:
    """What the order names, if it names one; raises NotLoaded."""
    if envelope.purpose is Purpose.LOOK:
        return None
    return component_named("skill", envelope.component, envelope.version)


def component_named(kind: str, name: str, version: str) -> Any:
    """A component of this version, or of any if that is empty; raises NotLoaded."""
    component = registry.current().components.get((kind, name))
    if component is None:
        raise NotLoaded(f"{kind} {name!r} is not loaded on this node")
    if version not in ("", component.version):
        raise NotLoaded(f"version {version} of {name} is not loaded; {component.version} is")
    return component


def _threads() -> dict[str, str]:
    """Threads do not come along when a session is forked, but the locks they hold do."""
    names = [thread.name for thread in threading.enumerate()][1:]
    if not names:
        return {}
    return {"threads": f"a module began threads when it was imported: {', '.join(names)}"}


def _readable(folders: tuple[Path, ...]) -> list[Path]:
    """The project folders that are there; the others are problems."""
    there = []
    for folder in folders:
        try:
            next(folder.iterdir(), None)
        except OSError as error:
            registry.current().problems[str(folder)] = (
                f"NoFolder: it cannot be read: {error.strerror}; "
                "make it, or take it out of AUTONOMY_SKILLS"
            )
        else:
            if _is_safe(folder):
                there.append(folder)
    return there


def _is_safe(folder: Path) -> bool:
    """Whether sessions cannot change what a zygote that is root would run."""
    exposed = open_to_all(folder) if is_root() else []
    if exposed:
        registry.current().problems[str(folder)] = (
            f"OpenToAll: everybody may change {exposed[0]}, and it would be run as root; "
            f"`chmod -R o-w {folder}`"
        )
    return not exposed


def _load_files(files: list[Path]) -> None:
    """Skills in YAML; where there are none, nothing of what reads them is loaded."""
    if files:
        from autonomy.skillfiles.loading import load  # noqa: PLC0415

        load(files)


def _version_of(source: tuple[Path, ...]) -> str:
    return version_of(source[0]) if source else ""


def _declared(found: Registry) -> Iterator[Message]:
    """What is told of each component; one that cannot be told of is a problem."""
    for (kind, name), component in list(found.components.items()):
        try:
            told = _told(kind, component)
            encoded(told)
        except Exception as error:  # noqa: BLE001 -- a schema may hold anything
            found.problems[f"{kind} {name}"] = f"{type(error).__name__}: {error}"
            found.drop({(kind, name)})
        else:
            yield told


def _told(kind: str, component: Any) -> Message:
    return {
        "kind": kind,
        "name": component.name,
        "version": component.version,
        "tier": component.tier,
        "owner": component.owner,
        "description": component.description,
        "module": component.module,
        "declaration": component.declaration(),
    }
