"""Real mail on loopback: an SMTP server that keeps what it takes, and Dovecot over the folder."""

import asyncio
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox as Maildir
from aiosmtpd.smtp import SMTP, Envelope, Session

from autonomy.verification import Mailbox

PASSWORD = "loopback"
USER = "ada"
_SECONDS = 10.0


class Sink(Maildir):
    """Keeps each message in a Maildir, and logs it in the form of Postfix."""

    def __init__(self, folder: Path, log: Path) -> None:
        super().__init__(folder)
        self.log = log
        self.log.touch()
        self.taken = 0

    async def handle_DATA(  # noqa: N802 -- the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the message on for all its recipients."""
        self.taken += 1
        queue = f"{self.taken:010X}"
        answer: str = await super().handle_DATA(server, session, envelope)
        message_id = self._message_id(envelope.original_content or b"")
        with self.log.open("a") as log:
            log.write(_line("cleanup", f"{queue}: message-id={message_id}"))
            for to in envelope.rcpt_tos:
                log.write(
                    _line(
                        "smtp", f"{queue}: to=<{to}>, relay=sink, dsn=2.0.0, status=sent (250 OK)"
                    )
                )
        return answer

    @staticmethod
    def _message_id(content: bytes) -> str:
        lines = content.partition(b"\r\n\r\n")[0].splitlines()
        named = (line for line in lines if line.lower().startswith(b"message-id:"))
        return next(named, b":").split(b":", 1)[1].strip().decode()


def _line(part: str, words: str) -> str:
    return f"Nov 21 19:00:00 sink postfix/{part}[7]: {words}\n"


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed in, and what became of it."""

    port: int
    folder: Path
    log: Path


@contextmanager
def smtp_server(folder: Path) -> Iterator[SmtpServer]:
    """A real SMTP server on loopback over a Maildir in the folder."""
    sink = Sink(folder / "Maildir", folder / "mail.log")
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield SmtpServer(controller.port, folder / "Maildir", folder / "mail.log")
    finally:
        controller.stop()
        with suppress(RuntimeError):
            asyncio.get_event_loop_policy().set_event_loop(None)


@contextmanager
def imap_server(folder: Path) -> Iterator[Mailbox]:
    """Dovecot on loopback over the Maildir in the folder; skips the test where it is missing."""
    if shutil.which("dovecot") is None:
        pytest.skip("Dovecot is not here: apt-get install dovecot-imapd")
    port = free_port()
    run = folder / "dovecot"
    run.mkdir()
    (run / "conf").write_text(_configuration(folder, run, port))
    process = subprocess.Popen(["dovecot", "-F", "-c", str(run / "conf")], stdin=subprocess.DEVNULL)
    try:
        _await_greeting(port, process)
        yield Mailbox("127.0.0.1", USER, PASSWORD, port=port, security="none")
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _configuration(folder: Path, run: Path, port: int) -> str:
    me = getpass.getuser()
    owner = "nobody" if os.getuid() == 0 else me  # Dovecot serves no mail of root's
    ids = pwd.getpwnam(owner)
    if os.getuid() == 0:
        folder.chmod(0o755)
        for path in [folder / "Maildir", *(folder / "Maildir").rglob("*")]:
            os.chown(path, ids.pw_uid, ids.pw_gid)
    users = "" if os.getuid() == 0 else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
    return f"""
protocols = imap
{users}base_dir = {run}/base
state_dir = {run}/state
log_path = {run}/log
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = {ids.pw_uid}
mail_location = maildir:{folder}/Maildir
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={ids.pw_uid} gid={ids.pw_gid} home={run}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


def _await_greeting(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + _SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            if connection.recv(100).startswith(b"* OK"):
                return
        time.sleep(0.05)
    raise AssertionError("Dovecot did not start")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
