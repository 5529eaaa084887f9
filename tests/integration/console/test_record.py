"""The record of the last run: its schema stands in the docs, and what is written keeps to it."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from django.conf import settings
from django.utils import timezone

from autonomy.tasks.models import Artifact, Task
from console.demo.record import Ending, Record
from console.demo.recording import recorded, write
from console.demo.source import Copy
from console.demo.telling import tell
from console.selectors.runs import run_of

SCHEMA = Path(settings.BASE_DIR, "docs", "steward-last.schema.json")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    origin = tmp_path / "origin.git"
    (origin / "refs" / "heads").mkdir(parents=True)
    (origin / "HEAD").write_text("ref: refs/heads/main\n")
    (origin / "refs" / "heads" / "main").write_text("ab" * 20 + "\n")
    return Copy("tinydb==4.9.0", tmp_path, origin, "main", "ab" * 20)


def record_of(task: Task, copy: Copy) -> Record:
    """What is kept when everything but the merge went well."""
    now = timezone.now()
    return recorded(
        run_of([task.run_id]), copy, actor="person:ada", console="http://127.0.0.1:8700/",
        logs=copy.folder / "logs", started=now - timedelta(seconds=9), ended=now,
    )  # fmt: skip


def test_the_schema_in_the_docs_is_the_one_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == Record.model_json_schema(), (
        "write it again: python -m console.demo.record > docs/steward-last.schema.json"
    )


@pytest.mark.django_db
def test_what_is_written_keeps_to_the_schema(done_task: Task, copy: Copy) -> None:
    kept = json.loads(write(record_of(done_task, copy), copy.folder).read_text())

    jsonschema.Draft202012Validator(
        json.loads(SCHEMA.read_text()),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    ).validate(kept)
    assert kept["ending"] == Ending.UNPROVEN
    assert kept["repository"]["now"] == "ab" * 20
    (lint,) = [task for task in kept["tasks"] if task["key"] == "lint"]
    assert lint["evidence"][0]["seen"] == "412"


@pytest.mark.django_db
def test_the_report_is_put_beside_the_origin(
    done_task: Task, copy: Copy, settings_home: Path
) -> None:
    done_task.skill = "repo.report"
    done_task.save()
    sha256 = hashlib.sha256(b"# Report\n").hexdigest()
    Artifact.objects.update(sha256=sha256)
    stored = settings_home / "artifacts" / sha256[:2] / sha256[2:]
    stored.parent.mkdir(parents=True)
    stored.write_text("# Report\n")

    report = record_of(done_task, copy).places.report

    assert Path(report).read_text() == "# Report\n"


@pytest.mark.django_db
def test_a_person_is_told_the_evidence_and_where_to_look(
    done_task: Task, copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(record_of(done_task, copy), copy.folder)

    told = capsys.readouterr().out
    for words in ("repo.lint", "junit.xml: 412", "n1", "last.json", "up --skills", "unproven"):
        assert words in told
