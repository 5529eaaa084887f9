"""`new`: a skill with its verifier and a test that passes, to go on from."""

import getpass
import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from console.cli.terminal import Json, autonomy, print_json, say
from console.starters import COMMAND, HTTP, PYTHON, TEST_OF_ASKING, TEST_OF_GREETING

commands = typer.Typer(help="Begin a skill of your own.", no_args_is_help=True)

LONGEST_NAME = 60
ADDRESS = "http://127.0.0.1:8700"
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", re.ASCII)


class BadName(ValueError):
    """A name that a skill cannot have; the message says what is allowed."""


class AlreadyThere(Exception):
    """A file would be overwritten."""


@dataclass(frozen=True)
class Begun:
    """The files of a new skill, and how to go on."""

    name: str
    files: tuple[Path, Path]
    steps: tuple[str, str, str]


@commands.callback()
def group() -> None:
    """Keep `skill` a word of its own, because more is to come."""


@commands.command()
def skill(
    name: Annotated[str, typer.Argument(help="Small letters, digits, _ and dots: `mail.send`.")],
    folder: Annotated[Path, typer.Option(help="The project folder.")] = Path(),
    yaml: Annotated[bool, typer.Option("--yaml", help="A command, declared in YAML.")] = False,
    http: Annotated[bool, typer.Option("--http", help="A request, declared in YAML.")] = False,
    as_json: Json = False,
) -> None:
    """Write a skill, its verifier and its test into a folder. Overwrites nothing."""
    begun = begin(name, folder, yaml=yaml, http=http)
    if as_json:
        return print_json(begun)
    for file, what in zip(begun.files, ("the skill and its verifier", "its test"), strict=True):
        say(f"  {file}   {what}")
    for step, what in zip(begun.steps, ("try it", "load it", "ask for it"), strict=True):
        say(f"  {what:<11} {step}")
    return None


def begin(name: str, folder: Path, *, yaml: bool = False, http: bool = False) -> Begun:
    """Write the files; raises BadName, AlreadyThere."""
    check_name(name)
    stem = name.replace(".", "_")
    source = folder / f"{stem}.{'yaml' if yaml or http else 'py'}"
    test = folder / "tests" / f"test_{stem}.py"
    words = {
        "name": name,
        "function": name.rpartition(".")[2],
        "owner": owner(),
        "address": ADDRESS,
        "schema": schema(),
        "test": test.relative_to(folder),
    }
    skills = HTTP if http else COMMAND if yaml else PYTHON
    tests = TEST_OF_ASKING if http else TEST_OF_GREETING
    _write({source: skills.substitute(words), test: tests.substitute(words)})
    argument = "" if http else " name=Ada"
    steps = (
        f"{sys.executable} -m pytest {test}{_without_pytest()}",
        f"{autonomy()} up --skills {folder}",
        f"{autonomy()} submit {name}{argument} --wait",
    )
    return Begun(name, (source, test), steps)


def check_name(name: str) -> None:
    """Raise BadName with what is allowed."""
    parts = name.split(".")
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or any(map(keyword.iskeyword, parts)):
        raise BadName(
            f"{name[:LONGEST_NAME]!r} cannot be the name of a skill: use small letters, digits and "
            f"_, in parts with dots between that begin with a letter and are no words of Python, "
            f"at most {LONGEST_NAME} characters"
        )


def owner() -> str:
    """Who answers for it: whoever writes it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "me"


def schema() -> str:
    """A first line by which editors complete the file, where the schema is at hand."""
    published = Path(__file__).parents[2] / "docs" / "skill.schema.json"
    return f"# yaml-language-server: $schema={published}\n" if published.exists() else ""


def _write(files: dict[Path, str]) -> None:
    """All or none."""
    for file in files:
        if file.exists() or file.is_symlink():
            raise AlreadyThere(f"{file} is there already")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x") as new:
            new.write(text)


def _without_pytest() -> str:
    there = importlib.util.find_spec("pytest")
    return "" if there else f"   (first: {sys.executable} -m pip install pytest)"
