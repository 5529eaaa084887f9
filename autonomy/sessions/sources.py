"""The sources that were loaded, and whether they have changed since."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from autonomy.sdk import registry

Signature = tuple[tuple[str, int, int], ...]


def packages(folders: Iterable[Path]) -> dict[Path, str]:
    """The folders that components were loaded from, each with the version of its sources."""
    modules = (sys.modules[item.module] for item in registry.current().components.values())
    found = {Path(str(module.__file__)).parent for module in modules}
    return {folder: registry.version_of(folder) for folder in found | set(folders)}


class Sources:
    """Tells when a loaded folder is no longer what was loaded. Reads files only after a change."""

    def __init__(self, versions: Mapping[Path, str]) -> None:
        self._versions = dict(versions)
        self._seen: dict[Path, Signature] = {}

    def changed(self) -> bool:
        """Whether any folder holds another version now."""
        return any(self._differs(folder) for folder in self._versions)

    def _differs(self, folder: Path) -> bool:
        signature = _signature(folder)
        if self._seen.get(folder) == signature:
            return False
        if registry.version_of(folder) != self._versions[folder]:
            return True
        self._seen[folder] = signature
        return False


def _signature(folder: Path) -> Signature:
    """Names, times and sizes of the sources."""
    found = []
    for source in sorted(folder.rglob("*.py")):
        stat = source.stat()
        found.append((str(source), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
