"""What a project says its tests need, read without running any of it."""

import ast
import configparser
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

TEST_NAMES = ("test", "tests", "testing")
_FILES = re.compile(
    r"(?:requirements[-_/])?(?:tests?|testing)(?:[-_]requirements)?\.txt|requirements[-_/.]tests?\.txt"
)
_MOST = 100
_NOT_FOR_TESTS = re.compile(
    r"(?:types-.*|.*-stubs|sphinx.*|mkdocs.*|furo|coveralls|codecov|tox.*|nox|pre-commit|twine|build|wheel"
    r"|setuptools.*|bump.*|black|isort|ruff|flake8.*|pycodestyle|pylint|mypy|pyright|(pytest-)(mypy|flake8"
    r"|pycodestyle|pylint|black|isort|ruff))"
)

Texts = Callable[[str], str]


@dataclass(frozen=True)
class Needs:
    """Requirements: without the project's nothing runs, those of the tests are tried for."""

    project: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: tuple[str, ...]


def needs(pyproject: dict[str, Any], text: Texts, paths: Iterable[str]) -> Needs:
    """Everything declared statically: pyproject.toml, setup.cfg, setup.py, requirements files."""
    left_out: list[str] = []
    project = _usable([*_project(pyproject), *_setup_cfg(text, "options", "install_requires"),
                       *_setup_py(text, "install_requires")], left_out)  # fmt: skip
    tests = [*_groups(pyproject, TEST_NAMES), *_setup_py(text, "tests_require"),
             *_setup_cfg(text, "options", "tests_require"), *_extras_of_setup(text)]  # fmt: skip
    for path in sorted(p for p in paths if _FILES.fullmatch(p)):
        tests += _lines(text(path))
    if not tests:
        tests = [t for t in _groups(pyproject, ("dev",)) if not _is_for_others(t)]
    return Needs(project, _usable(tests, left_out), tuple(left_out))


def chosen(requirements: Iterable[str]) -> Needs:
    """What a steward file asks for instead: each has to be had."""
    left_out: list[str] = []
    return Needs(_usable(requirements, left_out), (), tuple(left_out))


def _usable(found: Iterable[str], left_out: list[str]) -> tuple[str, ...]:
    """Those that name a release of an index; an address or an option is left out."""
    kept: dict[str, str] = {}
    for text in found:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            left_out.append(f"{text[:100]}: no requirement")
            continue
        if requirement.url:
            left_out.append(f"{requirement.name}: names an address instead of a release")
        elif len(kept) == _MOST:
            left_out.append(f"{requirement.name}: more than {_MOST} requirements")
        elif requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            requirement.marker = None
            kept.setdefault(str(requirement), str(requirement))
    return tuple(kept)


def _is_for_others(text: str) -> bool:
    name = re.match(r"[A-Za-z0-9._-]+", text)
    return bool(name and _NOT_FOR_TESTS.fullmatch(name[0].lower().replace("_", "-")))


def _strings(value: Any) -> list[str]:
    return (
        [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []
    )


def _table(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _project(pyproject: dict[str, Any]) -> list[str]:
    return _strings(_table(pyproject, "project").get("dependencies"))


def _groups(pyproject: dict[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Optional dependencies and dependency groups of these names; a group may include another."""
    extras, groups = (
        _table(pyproject, "project", "optional-dependencies"),
        _table(pyproject, "dependency-groups"),
    )
    for name in names:
        yield from _strings(extras.get(name))
        yield from _group(groups, name, set())


def _group(groups: dict[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    if name in seen:
        return
    seen.add(name)
    found = groups.get(name)
    for item in found if isinstance(found, list) else []:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            yield from _group(groups, item["include-group"], seen)


def _lines(text: str) -> list[str]:
    lines = (line.partition(" #")[0].strip() for line in text.splitlines()[: _MOST * 10])
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def _setup_cfg(text: Texts, section: str, key: str) -> list[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text("setup.cfg"))
    except configparser.Error:
        return []
    return _lines(parser.get(section, key, fallback=""))


def _extras_of_setup(text: Texts) -> Iterator[str]:
    extras = _literal(text("setup.py"), "extras_require")
    for name in TEST_NAMES:
        yield from _setup_cfg(text, "options.extras_require", name)
        yield from _strings(extras.get(name) if isinstance(extras, dict) else None)


def _setup_py(text: Texts, key: str) -> list[str]:
    return _strings(_literal(text("setup.py"), key))


def _literal(source: str, keyword: str) -> Any:
    """The value a keyword of some call has, where it is written out; the file is not run."""
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        words = [word for call in calls for word in call.keywords if word.arg == keyword]
        return ast.literal_eval(words[0].value) if words else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
