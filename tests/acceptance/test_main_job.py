"""The main job end to end: as it should go, and with a fault in the middle of it."""

import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from console.host.home import Home
from tests.acceptance.main_job import SKILLS, MainJob, Run, kill_tree, until

pytestmark = pytest.mark.timeout(400)

ALL_VERIFIED = dict.fromkeys(
    ["repo.survey", "lint", "metrics", "prepare", "test", "fix", "test_fix", "report", "merge"],
    "done verified",
)

FILES = {
    "small/__init__.py": "",
    "small/sums.py": "import os\nimport sys\n\n\ndef twice(x):\n    return 2 * x\n",
    "tests/test_small.py": (
        "import time\n\nfrom small.sums import twice\n\n\n"
        "def test_twice():\n    time.sleep(3)\n    assert twice(2) == 4\n"
    ),
    "pyproject.toml": '[project]\nname = "small"\nversion = "1"\n\n[tool.pytest.ini_options]\n',
}


@pytest.fixture(scope="module", autouse=True)
def _index() -> None:
    """The tests' own pytest is fetched as a wheel."""
    try:
        with urllib.request.urlopen("https://pypi.org/simple/pytest/", timeout=20):
            return
    except OSError as error:
        pytest.skip(f"the package index cannot be reached: {error}")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    name = tempfile.mkdtemp(prefix="autonomy-job-")
    Path(name).chmod(0o755)
    yield Path(name)
    Home.of({"AUTONOMY_HOME": str(Path(name) / "home")}).forget()
    shutil.rmtree(name)


@pytest.fixture
def job(folder: Path) -> MainJob:
    repository = Path(tempfile.mkdtemp(dir=folder))
    for name, text in FILES.items():
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    return MainJob(folder / "home", repository)


def head(repository: str, branch: str = "main") -> str:
    words = ["git", "-c", "safe.directory=*", "-C", repository, "rev-parse", f"refs/heads/{branch}"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def assert_merged_once(run: Run) -> None:
    """The same outcomes as without a fault, one of each, and one merge of the approved commit."""
    assert run.outcomes() == ALL_VERIFIED, run.said
    assert (run.exit, run.last["ending"]) == (0, "merged"), run.said
    assert len(run.last["tasks"]) == len(ALL_VERIFIED)
    assert run.last["ledger"]["ok"]
    repository = run.last["repository"]
    (approval,) = [a for a in run.last["approvals"] if a["decision"] == "approved"]
    assert approval["decided_by"] == "operator"
    assert approval["requested_by"] == "service:repo.survey"
    assert head(repository["origin"]) == repository["now"] != repository["commit"]


def test_an_approved_fix_is_merged_and_nothing_is_left_running(job: MainJob) -> None:
    before = head(str(job.repository))
    with job.started() as process:
        run = job.finish(process)

    assert_merged_once(run)
    assert len({task["node"] for task in run.last["tasks"]}) >= 2
    assert head(str(job.repository)) == before
    assert not [p for p in psutil.process_iter() if str(job.home) in " ".join(_words(p))]


def test_a_rejected_merge_leaves_origin_as_it_was(job: MainJob) -> None:
    with job.started(approve="no") as process:
        run = job.finish(process)

    assert (run.exit, run.last["ending"]) == (0, "rejected"), run.said
    assert run.outcomes() == ALL_VERIFIED | {"merge": "rejected "}
    assert head(run.last["repository"]["origin"]) == run.last["repository"]["commit"]


def kill_a_session(job: MainJob) -> None:
    kill_tree(_testing(job)[0])


def kill_the_node_that_tests(job: MainJob) -> None:
    kill_tree(_testing(job)[1])


def _testing(job: MainJob) -> tuple[psutil.Process, psutil.Process]:
    found = job.testing()
    assert found, "the tests of the repository are over already"
    return found


def flush_redis(job: MainJob) -> None:
    redis.Redis.from_url(job.setting("REDIS_URL")).flushall()


def start_again_after_kill(job: MainJob) -> None:
    job.process("supervisor").kill()
    again = job.autonomy("up", "--detach", "--skills", str(SKILLS))
    assert again.returncode == 0, again.stdout + again.stderr


def restart_postgres(job: MainJob) -> None:
    job.process("postgres").send_signal(2)  # a fast shutdown; it is started again


FAULTS: dict[str, Callable[[MainJob], None]] = {
    "a session is killed": kill_a_session,
    "a worker and its children are killed": kill_the_node_that_tests,
    "beat is killed": lambda job: kill_tree(job.process("beat")),
    "the engine is killed": lambda job: kill_tree(job.process("engine")),
    "redis is flushed": flush_redis,
    "redis is killed": lambda job: kill_tree(job.process("valkey")),
    "postgresql restarts": restart_postgres,
    "the supervisor is killed and started again": start_again_after_kill,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_middle_changes_no_outcome(job: MainJob, fault: str) -> None:
    with job.started() as process:
        job.said(process, "repo.test ", "running")
        until(job.testing)
        FAULTS[fault](job)
        run = job.finish(process)

    assert_merged_once(run)


def test_a_restart_of_postgresql_before_there_is_a_run_changes_no_outcome(job: MainJob) -> None:
    with job.started() as process:
        job.said(process, "the platform is up")
        restart_postgres(job)
        run = job.finish(process)

    assert_merged_once(run)


def _words(process: psutil.Process) -> list[str]:
    try:
        return [] if process.pid == os.getpid() else process.cmdline()
    except psutil.Error:
        return []
