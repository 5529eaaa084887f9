"""`autonomy new skill` writes a skill that runs, is verified, and has a test that passes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.testing import serving
from console.cli.main import run
from console.cli.new import ADDRESS, BadName, check_name
from console.host.exits import Exit
from ledger.models import Outcome
from tests.integration.console.conftest import Ran
from tests.support.platform import platform

KINDS = ["", "--yaml", "--http"]


@pytest.fixture
def project(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that one stands in."""
    folder = open_folder / "my-project.1"
    folder.mkdir(mode=0o755)
    monkeypatch.chdir(folder)
    return folder


New = Callable[..., Ran]


@pytest.fixture
def new(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> New:
    """`autonomy new skill`, through its real entry point."""
    monkeypatch.setenv("COLUMNS", "300")

    def call(*words: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["autonomy", "new", "skill", *filter(None, words)])
        code = 0
        try:
            run()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.mark.parametrize("kind", KINDS)
def test_the_test_of_a_new_skill_passes(new: New, project: Path, kind: str) -> None:
    begun = json.loads(new("mail.greet", kind, "--json").out)

    answer = subprocess.run(
        [*begun["steps"][0].split(), "-q", "-p", "no:cacheprovider"],
        cwd=project, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stdout
    assert "3 passed" in answer.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["", "--yaml"])
def test_a_new_skill_ends_done_and_verified(
    new: New, project: Path, open_folder: Path, kind: str
) -> None:
    new("greet", kind)

    with platform(open_folder, project) as running:
        ended = running.ended(running.submit("greet", name="Ada"))

    assert (ended.state, ended.reason) == ("done", "")
    assert Outcome.objects.get(task_id=ended.pk).verdict == "verified"


@pytest.mark.django_db(transaction=True)
def test_a_new_request_ends_done_and_verified(new: New, project: Path, open_folder: Path) -> None:
    new("ask", "--http")
    with serving({"/health/live": (200, b'{"status": "live"}')}) as service:
        file = project / "ask.yaml"
        file.write_text(file.read_text().replace(ADDRESS, service.url))
        with platform(open_folder, project) as running:
            ended = running.ended(running.submit("ask"))

    assert (ended.state, ended.reason) == ("done", "")
    assert Outcome.objects.get(task_id=ended.pk).verdict == "verified"


def test_nothing_is_overwritten(new: New, project: Path) -> None:
    new("greet")
    (project / "greet.py").write_text("mine")
    (project / "tests" / "test_other.py").write_text("mine")

    again, other = new("greet", "--json"), new("other", "--json")

    assert (again.code, other.code) == (Exit.REFUSED, Exit.REFUSED)
    assert json.loads(again.out)["problem"] == "greet.py is there already"
    assert (project / "greet.py").read_text() == "mine"
    assert not (project / "other.py").exists()


def test_it_is_written_where_it_is_asked_for(new: New, project: Path) -> None:
    begun = json.loads(new("greet", "--folder", "there", "--json").out)

    assert begun["files"] == ["there/greet.py", "there/tests/test_greet.py"]
    assert (project / "there" / "greet.py").exists()


@pytest.mark.parametrize(
    "name",
    ["", "Greet", "1st", "a b", "a-b", "a..b", ".a", "a.", "../a", "a/b", "class", "mail.import",
     "é", "a" * 61, "_a"],
)  # fmt: skip
def test_a_bad_name_is_refused_with_what_is_allowed(new: New, project: Path, name: str) -> None:
    with pytest.raises(BadName, match="use small letters, digits and _"):
        check_name(name)
    assert new(name or ".", "--json").code == Exit.USAGE
    assert list(project.iterdir()) == []


def test_the_next_steps_are_told(new: New, project: Path) -> None:
    told = new("greet").out

    assert f"{sys.executable} -m pytest tests/test_greet.py" in told
    assert "up --skills ." in told
    assert "submit greet name=Ada --wait" in told
