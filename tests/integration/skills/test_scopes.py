"""Links that somebody planted in a folder lead no session out of its scope (F-10)."""

from pathlib import Path

import pytest

from autonomy.testing import Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

READER = """
from pathlib import Path
from autonomy.sdk import Scope, skill

@skill(name="read", tier=1, retries=0, scope=Scope(read=("{inbox}/{{name}}",)))
def read(ctx, name: str) -> str:
    return Path("{inbox}", name).read_text()
"""


@pytest.fixture
def inbox(project: Path) -> Path:
    """An inbox with a letter, beside something that is no letter."""
    inbox, private = project / "inbox", project / "private"
    for folder in (inbox, private):
        folder.mkdir(mode=0o755)
        (folder / "letter.txt").write_text(folder.name)
    (project / "skills.py").write_text(READER.format(inbox=inbox))
    return inbox


def test_a_file_of_the_scope_can_be_read(project: Path, inbox: Path) -> None:
    with Bench(project) as bench:
        assert bench.run("read", name="letter.txt").result == "inbox"


@pytest.mark.parametrize("name", ["link", "folder/letter.txt"])
def test_a_link_out_of_the_scope_ends_the_session_before_it_begins(
    project: Path, inbox: Path, name: str
) -> None:
    (inbox / "link").symlink_to(inbox.parent / "private" / "letter.txt")
    (inbox / "folder").symlink_to(inbox.parent / "private")

    with Bench(project) as bench:
        tried = bench.run("read", name=name)

    assert tried.state == "failed"
    assert f"a link there leads out of {inbox}" in tried.why


def test_a_link_inside_the_scope_is_followed(project: Path, inbox: Path) -> None:
    (inbox / "link").symlink_to("letter.txt")

    with Bench(project) as bench:
        assert bench.run("read", name="link").result == "inbox"
