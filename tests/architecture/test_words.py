"""Code, pages and tables use the words of the glossary."""

import ast
import re
from pathlib import Path

import pytest

from autonomy.domain.explain import TaskFacts
from autonomy.domain.reasons import Reason
from autonomy.domain.states import MOVES, TERMINAL, State
from firewall.domain.levels import Level

ROOT = Path(__file__).parents[2]
APPS = ("config", "console", "heartbeats", "autonomy", "connectors", "firewall", "ledger")
CODE = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
STATES = (ROOT / "docs/states.md").read_text()

# The vocabulary of the specification.
WORDS = (
    "component", "system map", "skill", "task", "session", "verifier", "outcome", "ledger", "tier",
    "firewall", "approval", "node", "node score", "decision engine", "world model", "confidence",
    "autonomy level", "heartbeat", "detector", "connector", "inbound event", "subscription",
    "gateway", "runtime", "phantom token", "workflow", "run", "soul files", "oracle",
    "fix proposal", "remediation", "custodian", "delegator", "shelfware",
    "attempt", "finding", "door",
)  # fmt: skip
SHAPELESS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base"}
# Words that people use for a thing that has another name here.
FOREIGN = re.compile(r"(Job|Manager|Helper|Util)(s|[A-Z]|$)")


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_an_entry_for_every_word(word: str) -> None:
    assert re.search(rf"^- \*\*{word}\*\*", GLOSSARY, re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize("page", ["glossary.md", "states.md"])
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()

    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).resolve().exists()] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_and_no_class_has_a_name_that_says_nothing(path: Path) -> None:
    classes = {n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)}

    assert {path.stem, path.parent.name} & SHAPELESS == set()
    assert {name for name in classes if FOREIGN.search(name)} == set()


def test_the_page_of_states_is_the_table_of_moves() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|", STATES, re.MULTILINE)

    on_page = {State(name): frozenset(map(State, re.findall(r"`(\w+)`", to))) for name, to in rows}

    assert on_page == MOVES


def test_the_picture_of_states_has_every_move_between_live_states() -> None:
    arrows = set(re.findall(r"^\s+(\w+) --> (\w+)", STATES, re.MULTILINE))

    drawn = {(State(old), State(new)) for old, new in arrows if "all" not in (old, new)}

    expected = {
        (old, new)
        for old, moves in MOVES.items()
        for new in moves
        if new not in TERMINAL and new is not old
    }
    assert {(old, new) for old, new in drawn if new not in TERMINAL} == expected


@pytest.mark.parametrize("name", [*Reason, *Level])
def test_the_glossary_names_every_reason_and_level(name: str) -> None:
    assert f"`{name}`" in GLOSSARY


def test_facts_about_a_task_use_the_words_of_its_row() -> None:
    assert {
        "skill",
        "tier",
        "state",
        "origin",
        "node",
        "attempt",
    } <= TaskFacts.__annotations__.keys()
