"""`run` and `shell`: a program and its words, or a script, with arguments that stay data."""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autonomy.sdk.errors import Permanent
from autonomy.sdk.templates import Template, plain
from autonomy.skillfiles.errors import WrongValue
from autonomy.skillfiles.places import At, Values, filled, template, value_of
from autonomy.skillfiles.processes import Ended, ran

HERE = "ctx.here"
INSIDE = frozenset({"ctx.folder", "ctx.artifacts", "ctx.key"})
"""Places that a command or a request may have besides its arguments."""

_SHELL = ("/bin/sh", "-eu", "-c")
_END_OF_OPTIONS = "--"


@dataclass(frozen=True)
class Command:
    """What is run. Files that came with it are in `{ctx.here}`, byte for byte as they were read."""

    words: tuple[Template, ...] = ()
    script: str = ""
    stdin: str = ""
    arguments: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def answer(self, folder: Path, values: Values, given: Mapping[str, str]) -> Ended:
        """Run it in the folder; `given` is put into its environment."""
        with tempfile.TemporaryDirectory(prefix="here-") as here:
            self._unpack(Path(here))
            everything = {**values, "ctx": {**values["ctx"], "here": here}}
            environment = {**given, "HERE": here}
            if self.script:
                environment |= {f"arg_{name}": _text(values[name]) for name in self.arguments}
            return ran(
                self.line(everything),
                folder=folder,
                environment=environment,
                stdin=str(filled(self.stdin, everything)),
            )

    def line(self, values: Values) -> list[str]:
        """The words of the command; raises Permanent for an argument that would be an option."""
        if self.script:
            return [*_SHELL, self.script]
        line: list[str] = []
        for word in self.words:
            line += _expanded(word, values, options=_END_OF_OPTIONS not in line)
        return line

    def _unpack(self, here: Path) -> None:
        for name, content in self.files.items():
            file = here / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755)


def command_of(
    run: Sequence[str] | None,
    shell: str | None,
    stdin: str | None,
    *,
    known: frozenset[str],
    files: Mapping[str, bytes],
    at: At,
) -> Command:
    """The command that a part of a skill file declares; raises WrongValue."""
    declared = tuple(sorted(known - INSIDE))
    if stdin is not None:
        template(stdin, known, (*at, "stdin"))
    if shell is not None:
        _check_script(shell, declared, (*at, "shell"))
        return Command(script=shell, stdin=stdin or "", arguments=declared, files=files)
    inside = known | {HERE}
    words = tuple(template(w, inside, (*at, "run", n)) for n, w in enumerate(run or ()))
    _check_program(words[0], (*at, "run", 0))
    for number, word in enumerate(words):
        _check_file(word, files, (*at, "run", number))
    return Command(words=words, stdin=stdin or "", files=files)


def _check_program(word: Template, at: At) -> None:
    if word.names - {HERE}:
        raise WrongValue("an argument cannot choose the program; write it out", at=at)


def _check_file(word: Template, files: Mapping[str, bytes], at: At) -> None:
    """What a command uses of `{ctx.here}` must be part of its version."""
    if word.first != HERE or len(word.names) > 1:
        return
    name = word.text.removeprefix(f"{{{HERE}}}").lstrip("/")
    if name and name not in files:
        raise WrongValue(f"{name} is not among its files; add `files: [{name}]`", at=at)


def _check_script(script: str, arguments: Sequence[str], at: At) -> None:
    for name in arguments:
        if re.search(rf"(?<!\$)\{{{name}\}}", script):
            raise WrongValue(
                f'nothing is put into the text of a script: write "$arg_{name}" for {{{name}}}',
                at=at,
            )


def _expanded(word: Template, values: Values, *, options: bool) -> list[str]:
    """One word; or one for each item, where a list stands alone."""
    name = word.alone
    if name is not None and isinstance(value_of(name, values), list):
        return [_word(name, item, values, options=options) for item in value_of(name, values)]
    text = word.filled(lambda place: _clean(place, value_of(place, values)))
    if word.first not in (None, HERE) and options:
        _refuse_option(str(word.first), value_of(str(word.first), values))
    return [text]


def _word(name: str, item: Any, values: Values, *, options: bool) -> str:
    if options:
        _refuse_option(name, item)
    return _clean(name, item)


def _refuse_option(name: str, value: Any) -> None:
    if isinstance(value, str) and value.startswith("-"):
        raise Permanent(
            f"{name}={value!r} would be taken for an option; put -- before {{{name}}} in `run`"
        )


def _clean(name: str, value: Any) -> str:
    text = _text(value)
    if "\0" in text:
        raise Permanent(f"{name} holds a NUL, which no word of a command can")
    return text


def _text(value: Any) -> str:
    return plain(value) if isinstance(value, str | int | float) else json.dumps(value)


def program_of(command: Command) -> str:
    """What is run, in a word."""
    return "the script" if command.script else command.words[0].text
