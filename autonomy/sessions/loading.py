"""What the zygote has loaded, and whether it has what an order asks for."""

import threading
from pathlib import Path
from typing import Any

from autonomy.sdk import registry
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.orders import Purpose
from autonomy.sessions.sources import packages
from autonomy.sessions.wire import Message


class NotLoaded(Exception):
    """The component, or this version of it, is not loaded here."""


def loaded(folders: tuple[Path, ...]) -> Message:
    """Load everything; what there is, and what could not be loaded."""
    found = registry.load(folders)
    return {
        "components": [_declared(kind, item) for (kind, _), item in found.components.items()],
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


def _declared(kind: str, component: Any) -> Message:
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
