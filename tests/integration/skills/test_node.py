"""A skill in YAML on a real node, with database, engine and approvals."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.systemmap.models import Component
from autonomy.systemmap.selectors import declared_skill
from autonomy.tasks.services import BadRequest
from ledger.models import Outcome
from tests.support.platform import platform

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30.0

NOTE = """\
name: note
description: Keep a note.
tier: {tier}
owner: me
arguments:
  text: {{type: string, minLength: 1}}
run: [tee, "{{ctx.artifacts}}/note.txt"]
stdin: "{word} {{text}}"
verify:
  - file_contains: {{path: "{{ctx.artifacts}}/note.txt", words: ["{{text}}"]}}
"""


def write(project: Path, *, word: str = "Note:", tier: int = 1) -> None:
    (project / "note.yaml").write_text(NOTE.format(word=word, tier=tier))


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.05)


def test_it_is_on_the_map_is_checked_run_and_verified(project: Path, open_folder: Path) -> None:
    write(project)

    with platform(open_folder, project) as running:
        with pytest.raises(BadRequest, match="text"):
            running.submit("note", text=3)
        with pytest.raises(BadRequest, match="text"):
            running.submit("note", text="")
        ended = running.ended(running.submit("note", text="buy milk"))

    assert (ended.state, ended.reason) == ("done", "")
    assert Outcome.objects.get(task_id=ended.pk).verdict == "verified"
    component = Component.objects.get(name="note")
    assert (component.owner, component.description) == ("me", "Keep a note.")
    assert component.declaration["has_verifier"]


def test_tier_3_waits_for_a_person_and_runs_what_was_approved(
    project: Path, open_folder: Path
) -> None:
    write(project, tier=3)

    with platform(open_folder, project) as running:
        task_id = running.submit("note", text="buy milk")
        running.reached(task_id, "held")
        running.decide(task_id, "approved")
        ended = running.ended(task_id)

    assert (ended.state, ended.reason) == ("done", "")


def test_a_file_that_was_changed_is_another_version_and_a_broken_one_is_told(
    project: Path, open_folder: Path
) -> None:
    write(project)

    with platform(open_folder, project) as running:
        first = declared_skill("note").version
        write(project, word="Changed:")
        until(lambda: declared_skill("note").version != first)
        ended = running.ended(running.submit("note", text="x"))
        (project / "other.yaml").write_text("name: other\nteir: 1\ndescription: x\n")
        until(Component.objects.exclude(problem="").exists)
        still = running.ended(running.submit("note", text="y"))

    broken = Component.objects.exclude(problem="").get()
    assert ended.artifacts.get().name == "note.txt"
    assert broken.name == str(project / "other.yaml")
    assert broken.problem.splitlines()[-1] == (
        f"UnknownKey: {broken.name}, line 2, column 1: there is no key 'teir' here; "
        "did you mean 'tier'?"
    )
    assert still.state == "done"
