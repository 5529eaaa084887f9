"""`map`, `nodes`, `ledger`, `token`, help and known failures."""

import importlib
import subprocess
import sys
import time

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from autonomy.systemmap.models import Node
from autonomy.tasks.models import Task
from autonomy.tasks.services import cancel
from console.cli.faults import KNOWN
from console.demo.source import SKILLS
from console.host.exits import Exit
from console.services import person_of
from ledger.services import Fact, record, seal
from tests.integration.console.conftest import Autonomy, a_task

pytestmark = pytest.mark.django_db


def test_the_map_shows_when_each_skill_was_last_verified(
    autonomy: Autonomy, small_map: None, done_task: Task
) -> None:
    (line,) = autonomy("map", "--json").shape

    assert (line["name"], line["tier"], line["owner"]) == ("repo.lint", 1, "steward")
    assert line["last_verified_at"] is not None
    assert line["flags"] == []
    assert "steward" in autonomy("map").out


def test_the_map_flags_what_was_never_run(autonomy: Autonomy, small_map: None) -> None:
    assert "never run" in autonomy("map").out


def test_a_node_that_fell_silent_is_told_apart(autonomy: Autonomy, small_map: None) -> None:
    Node.objects.create(name="n2", tiers=[1], slots=1, seen_at=timezone.now().replace(year=2020))

    lines = {line["name"]: line["alive"] for line in autonomy("nodes", "--json").shape}

    assert lines == {"n1": True, "n2": False}
    assert "silent" in autonomy("nodes").out


def test_no_nodes_says_what_to_do(autonomy: Autonomy) -> None:
    assert "autonomy up" in autonomy("nodes").out


def test_the_figures_say_what_is_known_and_what_is_not(autonomy: Autonomy, done_task: Task) -> None:
    found = autonomy("figures", "--json").shape

    assert (found["ended"], found["verified_rate"], found["false_done_rate"]) == (1, 1.0, None)
    said = autonomy("figures", "--days", "30").out
    assert "100 %" in said
    assert "nothing has looked again" in said


def test_each_skill_has_its_figures(autonomy: Autonomy, done_task: Task) -> None:
    (line,) = autonomy("figures", "--skills", "--json").shape

    assert (line["skill"], line["ended"]) == (done_task.skill, 1)
    assert done_task.skill in autonomy("figures", "--skills").out


def test_what_was_falsely_done_is_known_once_someone_looked_again(
    autonomy: Autonomy, done_task: Task
) -> None:
    other = a_task()
    unproved = autonomy("ledger", "second-look", str(other.pk), "--fails", "--reason", "no")
    assert unproved.code == Exit.REFUSED

    looked = autonomy(
        "ledger", "second-look", str(done_task.pk), "--fails", "--reason", "it is empty", "--json"
    )

    assert looked.shape == {"task": str(done_task.pk), "holds": False}
    assert autonomy("figures", "--json").shape["false_done_rate"] == 1.0


def test_a_body_is_shown_until_someone_who_may_erases_it(
    autonomy: Autonomy, operator: User
) -> None:
    record(Fact(type="mail_heard", stream="mail", stream_id="1", actor="x", body="ada@example.org"))
    (heard,) = autonomy("ledger", "events", "--type", "mail_heard", "--json").shape
    assert heard["body"] == "ada@example.org"
    assert "ada@example.org" in autonomy("ledger", "events").out

    operator.groups.clear()
    refused = autonomy("ledger", "erase", heard["id"], "--reason", "asked to")
    assert refused.code == Exit.REFUSED

    operator.groups.set(Group.objects.filter(name="admin"))
    assert autonomy("ledger", "erase", heard["id"], "--reason", "asked to").code == 0
    (erased,) = autonomy("ledger", "events", "--type", "mail_heard", "--json").shape
    assert (erased["body"], erased["body_hash"]) == (None, heard["body_hash"])
    again = autonomy("ledger", "erase", heard["id"], "--reason", "asked to")
    assert again.code == Exit.MISSING


def test_events_of_one_task_are_listed_with_their_place_in_the_chain(autonomy: Autonomy) -> None:
    task, other = a_task(), a_task()
    for each in (task, other):
        cancel([each.pk], actor="person:ada", reason="no")

    lines = autonomy("ledger", "events", "--task", str(task.pk), "--json").shape

    assert {line["stream_id"] for line in lines} == {str(task.pk)}
    assert {line["sequence"] for line in lines} == {None}


def _seal_all() -> None:
    """A sealer waits for every transaction that was open before, those of others too."""
    for _ in range(100):
        if seal():
            return
        time.sleep(0.1)
    raise AssertionError("nothing was sealed within 10 s")


@pytest.mark.django_db(transaction=True)
def test_a_whole_ledger_is_verified_and_an_altered_one_is_told(autonomy: Autonomy) -> None:
    task = a_task()
    cancel([task.pk], actor="person:ada", reason="no")
    assert autonomy("ledger", "seal-status", "--json").shape["waiting"] > 0
    _seal_all()

    assert autonomy("ledger", "verify", "--json").shape["ok"] is True
    assert autonomy("ledger", "seal-status", "--json").shape["events"] > 0
    assert "are whole" in autonomy("ledger", "verify").out

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_event DISABLE TRIGGER ALL")
        cursor.execute("UPDATE ledger_event SET actor = 'person:eve'")
        cursor.execute("ALTER TABLE ledger_event ENABLE TRIGGER ALL")
    ran = autonomy("ledger", "verify")

    assert ran.code == Exit.UNSOUND
    assert "event altered" in ran.err


def test_outcomes_are_listed_with_their_evidence(autonomy: Autonomy, done_task: Task) -> None:
    (line,) = autonomy("ledger", "outcomes", "--verdict", "verified", "--json").shape

    assert line["task_id"] == str(done_task.pk)
    assert line["evidence"]["checks"][0]["seen"] == "412"
    assert autonomy("ledger", "outcomes", "--verdict", "refuted", "--json").shape == []


def test_a_token_made_here_works_and_can_be_ended(autonomy: Autonomy, operator: User) -> None:
    token = autonomy("token", "new", "laptop", "--json").shape["token"]
    assert person_of(token) == operator

    assert autonomy("token", "revoke", token[:6], "--json").shape["revoked"] is True

    states = {
        line["name"]: line["revoked_at"] for line in autonomy("token", "list", "--json").shape
    }
    assert states["laptop"] is not None
    assert token not in autonomy("token", "list").out


def test_a_token_that_is_not_mine_is_missing(autonomy: Autonomy) -> None:
    assert autonomy("token", "revoke", "zzzz").code == Exit.MISSING


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_failure_names_an_error_that_exists(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SKILLS.parent))
    module, _, kind = name.rpartition(".")

    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


HEAVY = ("django.db", "psycopg", "pydantic", "celery", "redis", "jsonschema")
"""What makes a start slow: a command loads it when it runs, help never does."""


@pytest.mark.parametrize("words", [[], ["ledger"], ["token"], ["submit"]])
def test_help_is_there_at_once_and_without_a_platform(words: list[str]) -> None:
    code = (
        f"import sys; from console.cli.main import app; HEAVY = {HEAVY}\n"
        f"try: app({[*words, '--help']!r})\n"
        "finally: assert not [m for m in sys.modules if m.startswith(HEAVY)]"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
