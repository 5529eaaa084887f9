"""The documents say what is so: commands, shapes and settings are all there, and the code runs."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from typer.main import get_command

from autonomy import verification
from console.cli.main import app
from console.host.home import CHECKOUT
from console.selectors.approvals import ApprovalLine
from console.selectors.ledger import EventLine, OutcomeLine, Sealing
from console.selectors.level import LevelLine
from console.selectors.output import OutputLine
from console.selectors.system import ComponentLine, NodeLine
from console.selectors.tasks import Explained, TaskLine
from console.selectors.tokens import TokenLine
from ledger.domain.figures import Figures
from ledger.domain.verification import Verification
from ledger.models import Outcome
from ledger.selectors import SkillFigures
from tests.support.mail import smtp_server
from tests.support.platform import platform

CLI = (CHECKOUT / "docs" / "cli.md").read_text()
SHAPES = [
    ApprovalLine, ComponentLine, EventLine, Explained, Figures, NodeLine, OutcomeLine, Sealing,
    LevelLine, SkillFigures, TaskLine, OutputLine, TokenLine, Verification,
]  # fmt: skip
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def commands(group: object, prefix: str = "autonomy") -> Iterator[str]:
    """Every command with the words that lead to it."""
    for name, command in getattr(group, "commands", {}).items():
        inner = list(commands(command, f"{prefix} {name}"))
        yield from inner or [f"{prefix} {name}"]


def test_every_command_is_in_the_manual() -> None:
    found = list(commands(get_command(app)))

    assert len(found) > 15
    assert [command for command in found if f"`{command}" not in CLI] == []


def test_every_option_of_work_and_deciding_is_known_to_the_command_it_is_told_of() -> None:
    told = set(re.findall(r"`?(--[a-z][a-z-]*)", CLI))
    known = {option for name in commands(get_command(app)) for option in _options(name)}

    assert told - known == set()


def _options(words: str) -> Iterator[str]:
    command: object = get_command(app)
    for word in words.split()[1:]:
        yield from _of(command)
        command = command.commands[word]  # type: ignore[attr-defined]
    yield from _of(command)


def _of(command: object) -> Iterator[str]:
    for parameter in command.params:  # type: ignore[attr-defined]
        yield from (*parameter.opts, *parameter.secondary_opts)
    yield "--help"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_field_of_a_shape_is_in_the_manual(shape: type) -> None:
    assert is_dataclass(shape)
    assert [field.name for field in fields(shape) if f"`{field.name}`" not in CLI] == []


def test_the_example_of_an_environment_names_every_setting_of_the_table() -> None:
    table = (CHECKOUT / "docs" / "settings.md").read_text().partition("## ")[0]
    example = (CHECKOUT / ".env.example").read_text()

    names = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    listed = {name for row in names for name in re.findall(r"[A-Z][A-Z_]+", row)}
    given = set(re.findall(r"^# ([A-Z][A-Z_]+)=", example, re.MULTILINE))

    assert {name.removesuffix("_FILE") for name in given} == listed


def test_what_a_page_of_ours_links_to_is_there() -> None:
    pages = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *CHECKOUT.glob("docs/*.md")]

    missing = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert missing == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["README.md", "docs/skills.md"])
def test_the_ten_lines_run_and_are_verified(page: str, open_folder: Path) -> None:
    hello = _saved(page, "def greet", open_folder)

    with platform(open_folder, hello) as running:
        ended = running.ended(running.submit("skills.greet", name="Ada"))

    assert (ended.state, ended.reason) == ("done", "")
    assert ended.artifacts.get().name == "greeting.txt"
    assert Outcome.objects.get(task_id=ended.pk).verdict == "verified"


@pytest.mark.django_db(transaction=True)
def test_the_tier_2_skill_of_the_manual_refuses_and_acts(open_folder: Path) -> None:
    hello = _saved("docs/skills.md", "def tidy", open_folder)
    inbox = open_folder / "inbox"
    inbox.mkdir()
    inbox.chmod(0o777)
    (inbox / "empty").touch()
    (inbox / "full").write_text("x")

    with platform(open_folder, hello) as running:
        acted = running.ended(running.submit("skills.tidy", folder=str(inbox)))
        refused = running.ended(running.submit("skills.tidy", folder=str(inbox)))

    assert (acted.state, acted.reason) == ("done", "")
    assert [path.name for path in inbox.iterdir()] == ["full"]
    assert (refused.state, refused.reason) == ("rejected", "pre-flight: removes nothing")


@pytest.mark.django_db(transaction=True)
def test_the_verifier_of_the_manual_waits_for_what_may_still_come(open_folder: Path) -> None:
    hello = _saved("docs/verifiers.md", "def report(", open_folder)
    desk = open_folder / "desk"
    desk.mkdir()
    desk.chmod(0o777)

    with platform(open_folder, hello) as running:
        task_id = running.submit("skills.report", folder=str(desk), month="May")
        running.until(task_id, lambda task: task.evidence is not None)
        (desk / "May.signed").write_text("Ada")
        ended = running.ended(task_id)

    outcome = Outcome.objects.get(task_id=task_id)
    assert (ended.state, outcome.verdict, ended.attempt) == ("done", "verified", 1)


@pytest.mark.django_db(transaction=True)
def test_the_reminder_of_the_manual_is_sent_once(open_folder: Path) -> None:
    hello = _saved("docs/verifiers.md", "def remind(", open_folder)

    with smtp_server(open_folder) as mail, platform(open_folder, hello) as running:
        ended = running.ended(
            running.submit("skills.remind", to="ada@b.org", port=mail.port, log=str(mail.log))
        )

    assert (ended.state, ended.reason) == ("done", "")
    assert mail.log.read_text().count("status=sent") == 1


def test_every_check_is_in_the_manual() -> None:
    told = (CHECKOUT / "docs" / "verifiers.md").read_text()
    internal = {"BadReport", "NoSuchRepository", "Report", "commit_of", "read_junit", "sha256_of"}

    assert [
        name for name in verification.__all__ if name not in internal and name not in told
    ] == []


def _saved(page: str, words: str, folder: Path) -> Path:
    """The skill as a reader would save it: the first block with these words."""
    blocks = PYTHON.findall((CHECKOUT / page).read_text())
    hello = folder / "hello"
    hello.mkdir(mode=0o755)
    (hello / "skills.py").write_text(next(block for block in blocks if words in block))
    return hello
