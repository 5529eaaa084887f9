"""Copies of project folders whose skill files ask a service of the test."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from autonomy.sessions.sources import skill_files

_IN_BRACES = re.compile(r"([{,]\s*)url:")
_ON_A_LINE = re.compile(r"^(\s*)url:", re.MULTILINE)


def copied(skills: Sequence[Path], home: Path, instead: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders, copied into `home`, with other addresses, which may then be private."""
    return tuple(
        _copied(folder, home / f"skills-{number}" / folder.name, instead)
        for number, folder in enumerate(skills)
    )


def _copied(folder: Path, to: Path, instead: Mapping[str, str]) -> Path:
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for file in skill_files(to):
        file.write_text(_readdressed(file.read_text(), instead))
    return to


def _readdressed(text: str, instead: Mapping[str, str]) -> str:
    for address, other in instead.items():
        text = text.replace(address, other)
    if "local:" in text:
        return text
    text = _IN_BRACES.sub(r"\1local: true, url:", text)
    return _ON_A_LINE.sub(r"\1local: true\n\1url:", text)
