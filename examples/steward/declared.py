"""What a repository says of itself: its linter's configuration, its tests, and what they need."""

import configparser
import re
import sys
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, ConfigDict

from steward import steward_file
from steward.git import Entry, contents, entries
from steward.requirements import Needs, chosen, needs

_MOST_BYTES = 1_000_000
_MOST_PATHS = 100
_TEST_FILE = re.compile(
    r"(?:.*/)?(?:test_[^/]*|[^/]*_test)\.py|(?:.*/)?tests?/(?:.*/)?test[^/]*\.py"
)
_ELSEWHERE = re.compile(r"(?:.*/)?(?:\.[^/]*|node_modules|_?vendor(?:ed)?|third_party)/.*")


class TestPlan(BaseModel):
    """How the tests of a commit are to be run."""

    __test__ = False
    model_config = ConfigDict(frozen=True)

    runner: str
    """`pytest`, or `unittest` for suites that know nothing of pytest (they are run by it too)."""
    config: str = ""
    """The file that configures pytest."""
    paths: tuple[str, ...] = ()
    """Empty where the configuration names them."""
    roots: tuple[str, ...] = (".",)
    """Folders that imports start from."""
    seconds: float = 240
    """How long all of them together may take."""


class Snapshot:
    """The files of a commit, read from the object store; nothing is checked out."""

    def __init__(self, origin: Path, commit: str) -> None:
        self.origin = origin
        self.files: dict[str, Entry] = {e.path: e for e in entries(origin, commit) if e.is_file}

    def text(self, path: str) -> str:
        """The text of a file, empty when there is none or it is too large to be a declaration."""
        entry = self.files.get(path)
        if entry is None or entry.size > _MOST_BYTES:
            return ""
        return next(contents(self.origin, [entry]))[1].decode("utf-8", "replace")

    @cached_property
    def steward(self) -> steward_file.StewardFile:
        """What the repository allows; raises BadStewardFile."""
        return steward_file.read(self.text(steward_file.NAME), self.text("pyproject.toml"))

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """pyproject.toml, empty when it cannot be read."""
        try:
            return tomllib.loads(self.text("pyproject.toml"))
        except tomllib.TOMLDecodeError:
            return {}

    @cached_property
    def lint_config(self) -> str:
        """The file that configures ruff for the whole repository, or an empty name."""
        for name in (".ruff.toml", "ruff.toml"):
            if name in self.files:
                return name
        return "pyproject.toml" if "ruff" in _dict(self.pyproject.get("tool")) else ""

    @cached_property
    def python_files(self) -> int:
        """How many files hold Python."""
        return sum(entry.is_python for entry in self.files.values())

    def needs(self) -> Needs:
        """What the tests need from the package index."""
        if self.steward.requirements is not None:
            return chosen(self.steward.requirements)
        return needs(self.pyproject, self.text, self.files)

    def test_plan(self) -> TestPlan | None:
        """How to run the tests, or None where there are none."""
        config, names_paths = self._pytest_config() if self.steward.pytest_config else ("", False)
        found = [p for p in self.files if _TEST_FILE.fullmatch(p) and not _ELSEWHERE.fullmatch(p)]
        allowed = self.steward.tests
        if not (found or allowed):
            return None
        knows = config or "conftest.py" in {p.rpartition("/")[2] for p in self.files}
        knows = knows or any("pytest" in r for r in (*self.needs().tests, *self.needs().project))
        return TestPlan(
            runner="pytest" if knows else "unittest",
            config=config,
            paths=allowed or (() if names_paths else _folders(found)),
            seconds=self.steward.test_seconds,
            roots=("src", ".") if self._has_src_layout() else (".",),
        )

    def unsupported_python(self) -> str:
        """Why this Python cannot run the tests, or nothing."""
        wanted = str(_dict(self.pyproject.get("project")).get("requires-python") or "")
        ours = ".".join(map(str, sys.version_info[:3]))
        try:
            good = SpecifierSet(wanted).contains(ours)
        except InvalidSpecifier:
            return ""
        return "" if good else f"the project wants Python {wanted} and this is {ours}"

    def _has_src_layout(self) -> bool:
        return "src/__init__.py" not in self.files and any(
            p.startswith("src/") and p.endswith(".py") for p in self.files
        )

    def _pytest_config(self) -> tuple[str, bool]:
        for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"):
            if name in self.files:
                return name, "testpaths" in self.text(name)
        tool = _dict(self.pyproject.get("tool"))
        settings = _dict(_dict(tool.get("pytest")).get("ini_options")) or _dict(tool.get("pytest"))
        if settings:
            return "pyproject.toml", "testpaths" in settings
        for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
            parser = _ini(self.text(name))
            if parser.has_section(section):
                return name, parser.has_option(section, "testpaths")
        return "", False


def _ini(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.ConfigParser()
    return parser


def _folders(found: list[str]) -> tuple[str, ...]:
    """The top folders named for tests that hold the files, and the files that lie elsewhere."""
    kept = set()
    for path in found:
        parts = path.split("/")
        tops = [i for i, part in enumerate(parts[:-1]) if part in ("test", "tests", "testing")]
        kept.add("/".join(parts[: tops[0] + 1]) if tops else path)
    return tuple(sorted(kept)) if len(kept) <= _MOST_PATHS else (".",)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
