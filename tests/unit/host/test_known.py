"""The secrets of an installation are known by their files and settings, and kept out of logs."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.domain.redaction import HIDDEN, Redactor
from config.logs import CleanRecord, install
from console.cli.faults import explain
from console.following import TookTooLong
from console.host import known
from console.host.known import KnownSecrets, known_secrets
from console.host.logs import Logs

KEY = "k3y-of-this-installation"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.key").write_text(KEY + "\n")
    (tmp_path / "operator.shown").write_text("the password was shown\n")
    return tmp_path


def test_every_file_of_the_folder_is_a_secret(folder: Path) -> None:
    (folder / "declared").mkdir()
    (folder / "declared" / "stripe").write_text("a-value-that-the-operator-named")

    text = KnownSecrets(folder).text(f"{KEY}, a-value-that-the-operator-named")

    assert text == f"{HIDDEN}, {HIDDEN}"
    assert KnownSecrets(folder).text("the password was shown") == "the password was shown"


def test_a_secret_that_is_added_is_known_soon(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "LOOKED_AT_EVERY", 0.0)
    secrets = KnownSecrets(folder)
    before = secrets.current()
    assert secrets.current() is before

    (folder / "fresh").write_text("added-while-it-ran")

    assert secrets.text("added-while-it-ran") == HIDDEN


def test_passwords_in_settings_are_known(tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("redis://:pass%2Fword@h:1/0\n")
    environ = {
        "DATABASE_URL": "postgresql://app:database-pw@h/d",
        "AUTONOMY_READER_URL": "postgresql://reader:reader-pw@h/d",
        "REDIS_URL_FILE": str(tmp_path / "redis"),
        "SECRET_KEY": KEY,
        "AUTONOMY_APP_URL_FILE": "/not/there",
    }

    secrets = known_secrets(environ)

    for value in ("database-pw", "reader-pw", "pass/word", "pass%2Fword", KEY):
        assert secrets.text(value) == HIDDEN


def test_a_folder_that_cannot_be_read_knows_nothing(tmp_path: Path) -> None:
    assert KnownSecrets(tmp_path / "none").text("anything at all") == "anything at all"


@pytest.fixture
def installed() -> Iterator[None]:
    factory, hooks = logging.getLogRecordFactory(), (sys.excepthook, threading.excepthook)
    install(Redactor([KEY]).text)
    yield
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook = hooks


def test_no_handler_is_given_a_secret(installed: None, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("x").exception("with %s and %r", KEY, {"token": "abcdefgh"})

    assert KEY not in caplog.text
    assert f"with {HIDDEN} and {{'token': '{HIDDEN}'}}" in caplog.text
    assert f"ValueError: {HIDDEN}" in caplog.text


def test_a_message_cannot_forge_a_line(installed: None, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("x").error("user %s", "ada\nCRITICAL:\x1b[31m\u202e all is lost")

    assert caplog.messages == ["user ada\\nCRITICAL:\\x1b[31m\\u202e all is lost"]
    assert isinstance(caplog.records[0], CleanRecord)


def test_an_unhandled_error_of_a_process_is_told_without_secrets(folder: Path) -> None:
    fail = f"import django; django.setup(); raise ValueError('{KEY}')"
    environ = os.environ | {"AUTONOMY_HOME": str(folder), "SECRET_KEY": KEY}
    (folder / "secrets").mkdir()

    done = subprocess.run(
        [sys.executable, "-c", fail],
        env=environ | {"DJANGO_SETTINGS_MODULE": "config.headless"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert f"ValueError: {HIDDEN}" in done.stderr
    assert KEY not in done.stderr


def test_what_a_command_complains_of_holds_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)

    fault = explain(TookTooLong(f"waited for {KEY} at postgres://a:b@c"))

    assert fault is not None
    assert fault.problem == f"waited for {HIDDEN} at postgres://a:{HIDDEN}@c"


def test_what_processes_print_reaches_their_logs_without_secrets(tmp_path: Path) -> None:
    logs = Logs(tmp_path, known=lambda: Redactor([KEY]))
    pipe = logs.pipe("web")
    for piece in (b"first\nhalf ", KEY[:9].encode(), KEY[9:].encode(), b" \xff\xfe raw", b" end"):
        os.write(pipe, piece)
    os.close(pipe)
    logs.close()

    assert (tmp_path / "web.log").read_bytes() == (
        f"first\nhalf {HIDDEN} ".encode() + b"\xff\xfe raw end"
    )
