"""A dump that is restored into another cluster is whole there, and the ledger goes on."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.host.embedded import servers
from console.host.home import CHECKOUT, Home

BINS = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
pytestmark = pytest.mark.skipif(
    not BINS, reason="needs pg_dump beside its server: apt install postgresql"
)

LIVED = """
with connection.cursor() as cursor:
    for _ in range(300):
        cursor.execute("SELECT pg_current_xact_id()")
with transaction.atomic():
    record(*(Fact("heard", "mail", str(n), "x", body="ada" * (n % 2)) for n in range(50)))
record_outcomes([NewOutcome(new_id(), 1, "s", 1, "done", verdict="verified") for _ in range(20)])
sealed()
erase(Event.objects.exclude(body_hash="").first().id, actor="person:ada", reason="asked to")
sealed()
"""
GOES_ON = """
found = verify()
assert found.ok and found.erased == 1 and found.events == 51, found
with transaction.atomic():
    record(*(Fact("heard", "mail", str(n), "x", body="eve") for n in range(5)))
sealed()
assert verify().events == 57, verify()
assert turn_months() == ""
record_outcomes([NewOutcome(new_id(), 1, "s", 1, "done", verdict="verified")])
assert Outcome.objects.count() == SkillDay.objects.aggregate(n=Sum("verified"))["n"] == 21
"""
HEAD = """
import django, time; django.setup()
from django.db import connection, transaction
from django.db.models import Sum
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome, Seal, SkillDay
from ledger.services import *

def sealed():
    until = time.monotonic() + 30
    while Event.objects.count() > Seal.objects.count():
        assert seal() or time.monotonic() < until
"""


@contextmanager
def _cluster() -> Iterator[str]:
    """An empty database of a cluster of its own, by its owner's URL."""
    home = Home(Path(tempfile.mkdtemp(prefix="autonomy-tests-")).resolve())
    try:
        with servers(
            home, {**os.environ, "AUTONOMY_POSTGRES_BIN": str(BINS[0])}, durable=False
        ) as up:
            yield up["DATABASE_URL"]
    finally:
        home.forget()


def _python(url: str, *arguments: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "config.settings"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **settings, "DATABASE_URL": url, "AUTONOMY_HOME": folder},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(180)
def test_a_restored_ledger_is_whole_and_goes_on(tmp_path: Path) -> None:
    dump = tmp_path / "ledger.dump"
    with _cluster() as here, _cluster() as there:
        _python(here, "manage.py", "migrate", "--verbosity", "0")
        _python(here, "-c", HEAD + LIVED)

        subprocess.run([BINS[0] / "pg_dump", "-Fc", "-f", dump, here], check=True, timeout=60)
        restore = [str(BINS[0] / "pg_restore"), "--no-owner", "--exit-on-error"]
        subprocess.run([*restore, "-d", there, dump], check=True, timeout=60)

        _python(there, "manage.py", "migrate", "--verbosity", "0")
        _python(there, "-c", HEAD + GOES_ON)
