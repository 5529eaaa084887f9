"""Bad input: it is told with its next step and its exit code, and nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest

from console.host.exits import Exit
from console.host.home import Home
from tests.acceptance.main_job import AUTONOMY, MainJob, until

pytestmark = pytest.mark.timeout(120)

NOBODY_LISTENS = "127.0.0.1:9"
HOSTILE: dict[bytes, bytes] = {
    b"two\nlines.py": b"import os\n",
    b"-rf": b"",
    b"-rf.py": b"import os\n",
    b"--config=evil.toml": b"",
    b"quo\"te'`$(touch x).py": b"import os\n",
    b"\xff\xfe.py": b"import os\n",
    b"x" * 252 + b".py": b"import os\n",
    b"broken.py": b"def (:\n",
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    name = tempfile.mkdtemp(prefix="autonomy-bad-")
    Path(name).chmod(0o755)
    yield Path(name)
    shutil.rmtree(name)


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Home]:
    """One home for all of them: what one leaves would be in the way of the next."""
    made = Home(folder / "home")
    yield made
    made.forget()


@pytest.fixture(scope="module")
def good(folder: Path) -> Path:
    return repository(folder / "good", {b"sums.py": b"import os\n"})


def repository(path: Path, files: dict[bytes, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        Path(os.fsdecode(os.fsencode(path) + b"/" + name)).write_bytes(content)
    git(path, "init", "-q", "-b", "main")
    git(path, "add", "-A")
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    git(path, *who, "commit", "-qm", "Begin")
    return path


def git(path: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=path, check=True, capture_output=True, text=True)
    return done.stdout


def demo(home: Home, repo: Path | str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The main job, started as `make run` starts it."""
    environment = MainJob(home.path, Path()).environment() | {"COLUMNS": "400"}
    done = subprocess.run(
        [AUTONOMY, "demo"],
        env=environment | {"REPO": str(repo), "APPROVE": "yes"} | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert running(home) == []
    return done


def assert_told(
    done: "subprocess.CompletedProcess[str]", code: Exit, problem: str, next_step: str
) -> None:
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    assert problem in told
    assert next_step in told
    assert "Traceback" not in told


def running(home: Home) -> list[str]:
    """Command lines of what still runs on the home."""
    marks = (str(home.path), str(home.data))
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(mark in line for mark in marks)]


def everything_in(path: Path) -> dict[str, str]:
    """Each file with its hash: what a look may not change."""
    files = (file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return {str(file): sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize(
    ("repo", "problem", "next_step"),
    [
        ("/no/such/folder", "there is no folder", "give a path or URL"),
        ("{folder}/empty", "is no git repository", "git init"),
        ("{folder}/unborn", "stands on no commit", "make one there first"),
        ("{folder}/damaged", "cannot be read", "git fsck"),
        ("-rf", "there is no folder -rf", "give a path or URL"),
        ("ext::sh -c date", "there is no folder", "give a path or URL"),
        (f"http://ada:secret@{NOBODY_LISTENS}/x.git", NOBODY_LISTENS, "check the address"),
    ],
)
def test_what_is_no_repository_is_refused_before_anything_starts(
    folder: Path, home: Home, repo: str, problem: str, next_step: str
) -> None:
    (folder / "empty").mkdir(exist_ok=True)
    git(folder, "init", "-q", "unborn")
    if not (folder / "damaged").exists():
        damaged = repository(folder / "damaged", {b"a": b"a"})
        shutil.rmtree(damaged / ".git" / "objects")
        (damaged / ".git" / "objects").mkdir()

    done = demo(home, repo.format(folder=folder))

    assert_told(done, Exit.SETTING, problem, next_step)
    assert "secret" not in done.stdout + done.stderr
    assert not (home.run / "state.json").exists()


@pytest.mark.parametrize(
    ("settings", "code", "problem", "next_step"),
    [
        ({"DATABASE_URL": "mysql://x@127.0.0.1/x"}, Exit.SETTING, "is not the URL", "postgresql:"),
        (
            {"DATABASE_URL": f"postgresql://x:secret@{NOBODY_LISTENS}/x"},
            Exit.SERVER,
            "Connection refused",
            "mend DATABASE_URL",
        ),
        ({"REDIS_URL": "http://127.0.0.1"}, Exit.SETTING, "cannot be read", "set REDIS_URL=redis:"),
        (
            {"REDIS_URL": f"redis://:secret@{NOBODY_LISTENS}/0"},
            Exit.SERVER,
            "no Redis answers",
            "mend REDIS_URL",
        ),
        ({"AUTONOMY_PORT": "many"}, Exit.SETTING, "is not a port", "such as 8700"),
        ({"AUTONOMY_HOME": "/proc/home"}, Exit.HOME, "cannot be used", "set AUTONOMY_HOME"),
        ({"AUTONOMY_HOME": "/dev/null/home"}, Exit.HOME, "cannot be used", "set AUTONOMY_HOME"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_mends_it(
    home: Home,
    good: Path,
    settings: dict[str, str],
    code: Exit,
    problem: str,
    next_step: str,
) -> None:
    done = demo(home, good, **settings)

    assert_told(done, code, problem, next_step)
    assert "secret" not in done.stdout + done.stderr


def test_a_role_that_does_not_own_the_database_is_told_from_a_fault(home: Home, good: Path) -> None:
    owner, role = os.environ["DATABASE_URL"], f"stranger_{uuid4().hex[:8]}"
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        try:
            place = owner.rpartition("@")[2]
            done = demo(home, good, DATABASE_URL=f"postgresql://{role}:x@{place}")
        finally:
            connection.execute(f"DROP ROLE {role}")

    assert_told(done, Exit.SERVER, "may not", "role")


def test_the_data_of_another_postgresql_is_refused_and_kept(folder: Path, good: Path) -> None:
    home = Home(folder / "older")
    data = home.data / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    try:
        done = demo(home, good)

        assert_told(done, Exit.SERVER, "was made by PostgreSQL 12", "pg_upgrade")
        assert (data / "PG_VERSION").read_text() == "12\n"
    finally:
        home.forget()


@pytest.mark.parametrize("name", ["state.json", "ports.json"])
def test_a_damaged_note_is_named_with_what_mends_it(home: Home, good: Path, name: str) -> None:
    home.prepare()
    (home.run / name).write_text("{")

    done = demo(home, good)
    (home.run / name).unlink()

    assert_told(done, Exit.HOME, f"{name} is damaged", "delete it")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("place", ["path", "data"])
def test_a_full_disk_is_named_and_nothing_is_started(folder: Path, good: Path, place: str) -> None:
    home = Home(folder / "full" / place)
    small: Path = getattr(home, place)
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "small", small], check=True)
    try:
        done = demo(home, good)
    finally:
        subprocess.run(["umount", small], check=True)
        home.forget()

    assert_told(done, Exit.HOME, "no room is left", "free some space")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_nothing_is_left_running_by_a_run_that_is_ended(
    home: Home, good: Path, sign: signal.Signals
) -> None:
    job = MainJob(home.path, good)
    with job.started() as process:
        until(lambda: running(home), seconds=30)
        process.send_signal(sign)
        process.communicate(timeout=30)
        until(lambda: not running(home), seconds=30)

    assert process.returncode in (-sign, Exit.INTERRUPTED)


def test_a_hostile_repository_is_reported_on_and_not_written(folder: Path, home: Home) -> None:
    source = repository(folder / "hostile", HOSTILE)
    for name, target in {"out.py": "/etc/passwd", "outdir": "../../../../etc", "me": "."}.items():
        (source / name).symlink_to(target)
    git(source, "add", "-A")
    git(source, "-c", "user.name=Ada", "-c", "user.email=a@b", "commit", "-qm", "Link")
    before = everything_in(source)

    done = demo(home, source)

    assert done.returncode == Exit.OK, done.stdout + done.stderr
    last = json.loads((home.path / "steward" / "last.json").read_text())
    assert last["ending"] == "no_fix"
    assert "there are no tests" in last["words"]
    assert last["repository"]["now"] == last["repository"]["commit"]
    assert "root:" not in Path(last["places"]["report"]).read_text()
    assert everything_in(source) == before
