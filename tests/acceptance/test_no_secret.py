"""Two hundred sessions tell all they know, in every way they can; nobody reads a secret (4.9)."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from psycopg.sql import SQL, Identifier, Literal

from autonomy.domain.redaction import HIDDEN
from tests.acceptance.main_job import MainJob, until

SESSIONS = 200
DECLARED = "declared-by-the-operator-2f81c0"
PASSWORD = "given-under-its-name-77aa31"
FILES = ("secret.key", "app.password", "valkey.password", "operator.token")
PATIENCE = 300.0

AS_GIVEN = {("tasks_task", "args"), ("tasks_task", "resolved")}
"""Columns that hold arguments as they were given: an approval binds their exact bytes."""

SKILLS = '''
import base64, faulthandler, glob, os, subprocess, sys, traceback
from pathlib import Path

from autonomy.sdk import *
from autonomy.sdk.evidence import check


def tell(known, password):
    """Print them whole, in pieces, and in other writings."""
    for value in [*known, password]:
        print("it is", value, repr(value), flush=True)
        print(value[:7], end="", flush=True)
        print(value[7:], flush=True)
        print(base64.b64encode(b"user:" + value.encode()).decode(), value.encode().hex())


@skill(tier=1, name="tells", retries=0, owner="tests")
def tells(ctx: Context, known: list[str], password: str, number: int) -> dict:
    """Print everything there is."""
    tell(known, password)
    print(dict(os.environ), flush=True)
    ctx.say(" ".join([*known, password]))
    ctx.effect("say", lambda: {"known": known, "password": password})
    return {"known": known, "note": f"<{password}>"}

@tells.verify
def _(ctx, args, result):
    return Evidence.of(check(" ".join(args["known"]), expected=args["password"], seen="x"))


@skill(tier=1, name="raises", retries=0, owner="tests")
def raises(ctx: Context, known: list[str], password: str, number: int) -> None:
    """Fail, with everything in the words."""
    faulthandler.dump_traceback(all_threads=True)
    try:
        raise ValueError(f"could not sign in with {password}: {known}")
    except ValueError:
        traceback.print_exc()
        raise


@skill(tier=1, name="crashes", retries=0, owner="tests")
def crashes(ctx: Context, known: list[str], password: str, number: int) -> None:
    """Leave a dump and die."""
    faulthandler.enable()
    memory = os.urandom(100_000) + " ".join([*known, password]).encode() + os.urandom(100_000)
    (ctx.artifacts / "core").write_bytes(memory)
    (ctx.artifacts / "harmless.txt").write_text(f"{number}")
    tell(known, password)
    os.abort()


@skill(tier=1, name="snoops", retries=0, owner="tests", scope=Scope(read=("/proc", "/var")))
def snoops(ctx: Context, known: list[str], password: str, number: int) -> int:
    """Read of other processes whatever can be read."""
    subprocess.run("cat /proc/*/environ /proc/*/cmdline 2>/dev/null", shell=True)
    seen = b""
    for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            seen += Path(name).read_bytes()
        except OSError:
            continue
    sys.stdout.write(repr(seen))
    (ctx.artifacts / "seen.bin").write_bytes(seen)
    return len(seen)
'''

SUBMIT = """
import json, sys
from pathlib import Path
from console.host import environment
environment.load(Path(sys.argv[1]))
import django
django.setup()
from autonomy.tasks.services import submit
known, password, count = json.loads(sys.argv[2])
names = ["tells", "raises", "crashes", "snoops"]
for number in range(count):
    args = {"known": known, "password": password, "number": number}
    submit(names[number % 4], args, origin="person:ada", requested_by="person:ada")
"""


@dataclass(frozen=True)
class Installation:
    """A platform that runs, and what it must not tell."""

    job: MainJob
    planted: dict[str, str]

    @property
    def given(self) -> list[str]:
        """What every session is given besides the password."""
        return list(self.planted.values())

    @property
    def values(self) -> list[str]:
        """All that must be found nowhere."""
        return [*self.given, PASSWORD]

    def rows(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """What the platform's own role reads."""
        with psycopg.connect(self.job.setting("DATABASE_URL")) as connection:
            return connection.execute(statement.encode(), given).fetchall()

    def pids(self) -> list[int]:
        """Every process of the platform."""
        own = self.job.process("supervisor")
        return [own.pid, *(child.pid for child in own.children(recursive=True))]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="autonomy-secrets-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        skills = folder / "skills"
        skills.mkdir()
        (skills / "told.py").write_text(textwrap.dedent(SKILLS))
        job = MainJob(folder / "home", folder)
        declared = job.home / "secrets" / "of-mine"
        declared.parent.mkdir(parents=True, mode=0o700)
        declared.write_text(DECLARED)
        settings = {"AUTONOMY_SKILLS": str(skills), "AUTONOMY_NODES": "n1,n2"}
        up = subprocess.run(
            [sys.executable, "-c", "from console.cli.main import run; run()", "up", "--detach"],
            env=job.environment() | settings | {"AUTONOMY_SLOTS": "6", "AUTONOMY_PORT": "8790"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        try:
            assert up.returncode == 0, up.stdout + up.stderr
            planted = {n: (job.home / "secrets" / n).read_text().strip() for n in FILES}
            made = Installation(job, planted | {"declared": DECLARED})
            _run_all(made)
            yield made
        finally:
            job.autonomy("down")


def _run_all(made: Installation) -> None:
    asked = json.dumps([made.given, PASSWORD, SESSIONS])
    subprocess.run(
        [sys.executable, "-c", SUBMIT, str(made.job.home), asked],
        env=made.job.environment(),
        timeout=PATIENCE,
        check=True,
    )
    over = "SELECT count(*) FROM ledger_outcome"
    until(lambda: made.rows(over)[0][0] == SESSIONS, seconds=PATIENCE)
    time.sleep(1)  # what is still being written of the last one


@pytest.mark.timeout(600)
def test_every_session_ran_and_told_what_it_was_given(installation: Installation) -> None:
    ended = dict(installation.rows("SELECT skill, count(*) FROM ledger_outcome GROUP BY skill"))
    assert ended == dict.fromkeys(("tells", "raises", "crashes", "snoops"), SESSIONS // 4)

    told = (
        "SELECT output || error FROM tasks_session s JOIN tasks_task t ON t.id = s.task_id"
        " WHERE t.skill = %s"
    )
    for skill in ("tells", "raises", "crashes"):
        rows = installation.rows(told, skill)
        assert all(text.count(HIDDEN) >= len(installation.values) for (text,) in rows), skill


def test_no_secret_is_in_the_database_but_where_it_was_given(installation: Installation) -> None:
    columns = installation.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
        " AND data_type IN ('text', 'jsonb', 'character varying')"
    )
    patterns = [f"%{value}%" for value in installation.values]
    look = "SELECT {table}, {column} FROM {source} WHERE {name}::text LIKE ANY(%s) LIMIT 1"
    looks = [
        SQL("(" + look + ")").format(
            table=Literal(table),
            column=Literal(column),
            source=Identifier(table),
            name=Identifier(column),
        )
        for table, column in sorted(set(columns) - AS_GIVEN)
    ]

    with psycopg.connect(installation.job.setting("DATABASE_URL")) as connection:
        hits = connection.execute(SQL(" UNION ALL ").join(looks), [patterns] * len(looks))

        assert hits.fetchall() == []
    assert len(looks) > 50


def test_no_secret_is_in_what_processes_logged(installation: Installation) -> None:
    logs = list((installation.job.home / "logs").iterdir())

    assert {"n1.log", "n2.log", "engine.log", "web.log"} <= {log.name for log in logs}
    assert _holding(logs, installation.values) == []


def test_no_secret_is_in_a_file_that_a_session_left(installation: Installation) -> None:
    kept = [p for p in (installation.job.home / "artifacts").rglob("*") if p.is_file()]

    assert len(kept) >= SESSIONS // 4
    assert _holding(kept, installation.values) == []


def test_no_secret_is_in_redis(installation: Installation) -> None:
    client: Any = redis.Redis.from_url(installation.job.setting("REDIS_URL"))
    readers = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"stream": client.xrange,
    }
    with client:
        held = {key: readers[client.type(key)](key) for key in client.scan_iter()}

    assert held
    assert [value for value in installation.values if value in repr(held)] == []


def test_no_secret_is_in_a_command_line(installation: Installation) -> None:
    pids = installation.pids()

    lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids if psutil.pid_exists(pid)]

    assert len(lines) > 8
    everything = b"\0".join(lines).decode(errors="replace")
    assert [value for value in installation.values if value in everything] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_another_user_reads_no_environment(installation: Installation) -> None:
    pids = installation.pids()
    look = "import sys; print([open(f'/proc/{p}/environ').read() for p in sys.argv[1:]])"

    seen = [
        subprocess.run(
            [sys.executable, "-S", "-c", look, str(pid)],
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        ).stdout
        for pid in pids
    ]

    assert [value for value in installation.values if value in "".join(seen)] == []


def _holding(files: list[Path], values: list[str]) -> list[tuple[str, str]]:
    """Which files hold which values."""
    return [(f.name, v) for f in files for v in values if v.encode() in f.read_bytes()]


def test_what_is_looked_for_would_be_found(installation: Installation) -> None:
    given = "SELECT count(*) FROM tasks_task WHERE args::text LIKE %s"
    assert installation.rows(given, f"%{DECLARED}%")[0][0] == SESSIONS
    secrets = list((installation.job.home / "secrets").iterdir())
    assert len({value for _, value in _holding(secrets, installation.values)}) == len(FILES) + 1
