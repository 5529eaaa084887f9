"""A file that a session left is shown as text and saved whole, and is what was kept."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from autonomy.tasks.models import Artifact, Task

pytestmark = pytest.mark.django_db

PAGE = b"<html><script>alert(1)</script></html>\n"


@pytest.fixture
def kept(done_task: Task, settings_home: Path) -> Artifact:
    sha256 = hashlib.sha256(PAGE).hexdigest()
    file = settings_home / "artifacts" / sha256[:2] / sha256[2:]
    file.parent.mkdir(parents=True)
    file.write_bytes(PAGE)
    Artifact.objects.update(sha256=sha256, size=len(PAGE), name="sub/../étude.html")
    return Artifact.objects.get()


def file_of(kept: Artifact) -> str:
    return reverse("admin:tasks_artifact_file", args=[kept.pk])


def page_of(desk: Client, kept: Artifact) -> str:
    return desk.get(reverse("admin:tasks_artifact_change", args=[kept.pk])).content.decode()


def test_a_file_is_saved_and_never_opened_as_a_page(desk: Client, kept: Artifact) -> None:
    answer = desk.get(file_of(kept))

    assert b"".join(answer) == PAGE
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sub" not in answer["Content-Disposition"]


def test_its_page_shows_it_as_text_and_leads_to_the_file(desk: Client, kept: Artifact) -> None:
    page = page_of(desk, kept)

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert f'href="{file_of(kept)}"' in page


def test_a_file_that_was_altered_is_not_given_out(
    desk: Client, kept: Artifact, settings_home: Path
) -> None:
    file = settings_home / "artifacts" / kept.sha256[:2] / kept.sha256[2:]
    file.write_bytes(b"altered")

    assert desk.get(file_of(kept)).status_code == 503
    assert "is damaged" in page_of(desk, kept)


def test_a_file_that_is_gone_is_not_found(
    desk: Client, kept: Artifact, settings_home: Path
) -> None:
    (settings_home / "artifacts" / kept.sha256[:2] / kept.sha256[2:]).unlink()

    assert desk.get(file_of(kept)).status_code == 404
    assert "was removed" in page_of(desk, kept)


def test_a_file_that_is_too_long_is_not_read_to_be_shown(desk: Client, kept: Artifact) -> None:
    Artifact.objects.update(size=10**9)

    assert "too long to be shown here: 1,000,000,000 bytes" in page_of(desk, kept)


def test_a_file_is_for_those_who_may_see_it(client: Client, kept: Artifact) -> None:
    assert client.get(file_of(kept)).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))

    assert client.get(file_of(kept)).status_code == 403
