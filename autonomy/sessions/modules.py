"""Importing the modules that declare components: a broken one stops nothing else (C-13)."""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType

from autonomy.sdk import registry

ENTRY_POINTS = "autonomy.components"
IMPORT_SECONDS = 6.0
"""How long one module may take; all that hang fit into the time a node gives a new generation."""

_LEAST_SECONDS = 0.25
_FRAMES = 4
_INIT = "__init__.py"
_STRANGE = re.compile(r"\W")


class ImportTooSlow(BaseException):
    """A module takes too long to import. Not an Exception, so that no module catches it."""


class SourceOnly(SourceFileLoader):
    """Runs the sources as they are: a version is a hash of them, and compiled files may be stale.

    Python takes a compiled file for fresh that was made of sources of the same size and second.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_all(folders: Iterable[Path]) -> None:
    """Import what installed packages name, and every module of the project folders."""
    imports = Imports()
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        imports.guarded(entry.value, entry.load)
    for folder in folders:
        imports.folder(folder)


class Imports:
    """Imports one thing after the other; those that hang share what patience there is."""

    def __init__(self) -> None:
        self._patience = IMPORT_SECONDS

    def folder(self, folder: Path) -> None:
        """Import the modules of one project folder, under the name of its package."""
        stems = {path.stem for path in folder.glob("*.py")}
        if not stems:
            return
        _read_sources_of(folder)
        package = _real_name(folder)
        if not package:
            package = folder.name if _is_free(folder.name) else _made_up(folder)
            self.guarded(str(folder / _INIT), partial(_make_package, package, folder))
        for stem in sorted(stems - {"__init__"}):
            name = f"{package}.{stem}"
            self.guarded(str(folder / f"{stem}.py"), partial(importlib.import_module, name))

    def guarded(self, place: str, act: Callable[[], object]) -> None:
        """Do it; what goes wrong becomes a problem of the place, and what it declared is gone."""
        found = registry.current()
        before = set(found.components)
        limit = max(self._patience, _LEAST_SECONDS)
        try:
            with _no_longer_than(limit):
                act()
        except BaseException as error:  # noqa: BLE001 -- a module of a stranger may raise anything
            found.problems[place] = traceback.format_exc(limit=-_FRAMES)
            found.drop(found.components.keys() - before)
            self._patience -= limit if isinstance(error, ImportTooSlow) else 0


def _read_sources_of(folder: Path) -> None:
    """Let everything below the folder be imported from its sources."""

    def finder(path: str) -> FileFinder:
        if not Path(path).is_relative_to(folder):
            raise ImportError
        return FileFinder(
            path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceOnly, SOURCE_SUFFIXES)
        )

    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """Interrupt a module that waits for something."""

    def interrupt(*_: object) -> None:
        raise ImportTooSlow(f"still importing after {seconds:g} s; do slow work inside the skill")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _real_name(folder: Path) -> str:
    """The name under which Python itself would find the folder; empty where it would not."""
    parts: list[str] = []
    above = folder
    while (above / _INIT).exists():
        parts.insert(0, above.name)
        above = above.parent
    name = ".".join(parts)
    try:
        spec = importlib.util.find_spec(name) if name else None
    except (ImportError, ValueError):  # a folder above it is no package of that name
        return ""
    places = spec.submodule_search_locations if spec else None
    return name if str(folder) in (places or ()) else ""


def _is_free(name: str) -> bool:
    return (
        name.isidentifier() and name not in sys.modules and importlib.util.find_spec(name) is None
    )


def _made_up(folder: Path) -> str:
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return f"{_STRANGE.sub('_', folder.name)}_{digest}"


def _make_package(name: str, folder: Path) -> None:
    """Let modules of the folder be imported, even where its own file turns out to be broken."""
    init = folder / _INIT
    spec = None
    if init.exists():
        loader = SourceOnly(name, str(init))
        spec = importlib.util.spec_from_file_location(name, init, loader=loader)
    spec = spec or ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    if spec.loader is not None:
        spec.loader.exec_module(package)
