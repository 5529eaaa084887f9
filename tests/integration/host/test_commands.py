"""`up`, `status`, `doctor`, `down` as a person types them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.host.exits import Exit
from console.host.home import Home
from console.host.secrets import Secrets
from console.host.spawning import wait_until
from tests.integration.host.conftest import fresh_home

AUTONOMY = str(Path(sys.executable).with_name("autonomy"))


@pytest.fixture(scope="module")
def person(environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of someone with a home of their own."""
    with fresh_home() as home:
        yield environ | {"AUTONOMY_HOME": str(home.path), "AUTONOMY_NODES": "n1"}


def typed(person: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUTONOMY, *command], env=person, capture_output=True, text=True, timeout=120, check=False
    )


def answered(person: dict[str, str], *command: str) -> Any:
    done = typed(person, *command, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_platform_in_the_foreground_is_seen_from_elsewhere_and_ends_with_ctrl_c(
    person: dict[str, str], tmp_path: Path
) -> None:
    home = Home(Path(person["AUTONOMY_HOME"]))
    printed = tmp_path / "printed"
    with printed.open("w") as output:
        up = subprocess.Popen([AUTONOMY, "up"], env=person, stdout=output, stderr=output)
    try:
        assert wait_until(lambda: "The platform is up" in printed.read_text(), seconds=60)
        status = answered(person, "status")
        findings = answered(person, "doctor")
    finally:
        up.send_signal(signal.SIGINT)
        code = up.wait(30)

    assert code == Exit.OK, printed.read_text()
    assert Secrets(home)["operator.password"] in printed.read_text()
    assert {row["name"] for row in status["processes"]} > {"supervisor", "web", "n1", "postgres"}
    assert status["sums"]["pss_bytes"] == sum(row["pss_bytes"] for row in status["processes"])
    assert "fail" not in {finding["verdict"] for finding in findings}
    assert not home.is_locked()


def test_a_second_start_says_the_password_no_more_and_down_ends_it(person: dict[str, str]) -> None:
    secret = Secrets(Home(Path(person["AUTONOMY_HOME"])))["operator.password"]

    up = typed(person, "up", "--detach")
    down = typed(person, "down")

    assert up.returncode == 0, up.stderr
    assert "The platform is up" in up.stdout
    assert secret not in up.stdout
    assert down.returncode == 0
    assert "data stays" in down.stdout


@pytest.mark.parametrize("command", ["status", "down"])
def test_what_needs_a_running_platform_says_how_to_start_one(
    person: dict[str, str], command: str
) -> None:
    done = typed(person, command)

    assert done.returncode == Exit.STOPPED
    assert "autonomy up" in done.stderr


def test_a_wrong_setting_ends_with_its_code_and_its_fix(person: dict[str, str]) -> None:
    done = typed(person | {"DATABASE_URL": "mysql://x"}, "up", "--detach", "--json")

    assert done.returncode == Exit.SETTING
    assert "DATABASE_URL" in json.loads(done.stdout)["problem"]


def test_the_doctor_ends_with_unsound_when_something_has_to_be_mended(
    person: dict[str, str],
) -> None:
    home = Home(Path(person["AUTONOMY_HOME"]))
    home.secrets.chmod(0o755)

    done = typed(person, "doctor")

    home.secrets.chmod(0o700)
    assert done.returncode == Exit.UNSOUND
    assert "chmod" in done.stdout
