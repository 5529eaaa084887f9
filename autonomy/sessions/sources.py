"""The sources that were loaded, and whether they have changed since."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from autonomy.sdk import registry

Signature = tuple[tuple[str, int, int], ...]

SKILL_FILES = (".yaml", ".yml")


def version_of(source: Path) -> str:
    """A hash over the modules of a package, or one file: any change of code is a new version."""
    return _hashed(source, sorted(source.rglob("*.py")) if source.is_dir() else [source])


def packages(folders: Iterable[Path]) -> dict[Path, str]:
    """The sources of all components, and the folders, each with a hash of what lies there."""
    declared = (path for paths in registry.current().sources.values() for path in paths)
    return {source: _state_of(source) for source in {*declared, *folders}}


def skill_files(folder: Path) -> list[Path]:
    """The files of a project folder that declare skills; those of workflows are not ours."""
    found = (p for p in folder.iterdir() if p.suffix in SKILL_FILES and p.is_file())
    return sorted(path for path in found if not path.stem.endswith(".workflow"))


class Sources:
    """Tells when a loaded folder is no longer what was loaded. Reads files only after a change."""

    def __init__(self, versions: Mapping[Path, str]) -> None:
        self._versions = dict(versions)
        self._seen: dict[Path, Signature] = {}

    def changed(self) -> bool:
        """Whether any of them is another version now."""
        return any(self._differs(source) for source in self._versions)

    def _differs(self, source: Path) -> bool:
        signature = _signature(source)
        if self._seen.get(source) == signature:
            return False
        if _state_of(source) != self._versions[source]:
            return True
        self._seen[source] = signature
        return False


def _state_of(source: Path) -> str:
    return _hashed(source, _files(source))


def _hashed(source: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        name = str(file.relative_to(source)).encode()
        digest.update(name + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        return iter([source] if source.exists() else [])
    return iter([*sorted(source.rglob("*.py")), *skill_files(source)])


def _signature(source: Path) -> Signature:
    """Names, times and sizes of the files."""
    found = []
    for file in _files(source):
        stat = file.stat()
        found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
