"""Messages in a real mailbox and in the log of a real mail server."""

import smtplib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from autonomy.sdk import Verdict
from autonomy.sdk.looking import Look, looking
from autonomy.verification import Mailbox, message_in_folder, message_is_delivered
from autonomy.verification.mail import is_message_id
from tests.support.mail import SmtpServer, free_port, imap_server, smtp_server

ADA, GRACE = "ada@example.org", "grace@example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[SmtpServer]:
    with tempfile.TemporaryDirectory(prefix="mail-") as name, smtp_server(Path(name)) as running:
        send(running, "<one@test>", ADA)
        send(running, "<twice@test>", ADA)
        send(running, "<twice@test>", ADA)
        send(running, "<astray@test>", GRACE)
        send(running, "<both@test>", ADA, GRACE)
        yield running


@pytest.fixture(scope="module")
def mailbox(server: SmtpServer) -> Iterator[Mailbox]:
    with imap_server(server.folder.parent) as running:
        yield running


def send(server: SmtpServer, message_id: str, *to: str) -> None:
    """Hand a message in, as a skill would."""
    message = EmailMessage()
    message["From"], message["To"] = "skill@example.org", ", ".join(to)
    message["Subject"], message["Message-ID"] = "Invoice", message_id
    message.set_content("as agreed")
    with smtplib.SMTP("127.0.0.1", server.port) as connection:
        connection.send_message(message)


def test_a_message_in_the_folder_is_found_by_its_id(mailbox: Mailbox) -> None:
    seen = message_in_folder(mailbox, "INBOX", "<one@test>", to=[ADA.upper()])

    assert seen.verdict is Verdict.VERIFIED
    assert seen.found == {"message_id": "<one@test>", "copies": "1"}


def test_looking_leaves_a_message_unseen(mailbox: Mailbox, server: SmtpServer) -> None:
    message_in_folder(mailbox, "INBOX", "<one@test>")

    flagged = [path.name for path in server.folder.rglob("*:2,*S*")]
    assert flagged == []


@pytest.mark.parametrize(
    "message_id", ["<twice@test>", "<astray@test>", "<both@test>", "<no@test>"]
)
def test_a_double_a_stranger_and_a_missing_message_are_refuted(
    mailbox: Mailbox, message_id: str
) -> None:
    seen = message_in_folder(mailbox, "INBOX", message_id, to=[ADA])

    assert seen.verdict is Verdict.REFUTED


def test_a_message_to_several_names_all_of_them(mailbox: Mailbox) -> None:
    assert message_in_folder(mailbox, "INBOX", "<both@test>", to=[GRACE, ADA]).verdict == "verified"
    assert message_in_folder(mailbox, "INBOX", "<twice@test>", exactly=2).verdict == "verified"


def test_an_id_that_another_one_contains_is_not_found(mailbox: Mailbox) -> None:
    assert message_in_folder(mailbox, "INBOX", "<ne@test>").verdict is Verdict.REFUTED


def test_a_folder_that_is_not_there_is_refuted(mailbox: Mailbox) -> None:
    for name in ('Sent "2026"', "Ausgänge & mehr"):
        assert message_in_folder(mailbox, name, "<one@test>").seen == "there is no such folder"


def test_a_mailbox_that_does_not_let_us_look_proves_nothing(mailbox: Mailbox) -> None:
    stranger = replace(mailbox, password="wrong")
    nobody = replace(mailbox, port=free_port())

    refused = message_in_folder(stranger, "INBOX", "<one@test>")
    assert refused.verdict is Verdict.INCONCLUSIVE
    assert "wrong" not in str(refused)
    assert message_in_folder(nobody, "INBOX", "<one@test>").verdict is Verdict.INCONCLUSIVE


def test_without_a_network_a_mailbox_proves_nothing(mailbox: Mailbox) -> None:
    with looking(Look(network=False)):
        seen = message_in_folder(mailbox, "INBOX", "<no@test>")

    assert seen.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "text", ["one@test", "<a b@test>", '<a"@test>', "<a@test>\r\nA1 LOGOUT", ""]
)
def test_what_is_no_message_id_is_not_asked_for(mailbox: Mailbox, text: str) -> None:
    assert not is_message_id(text)
    assert message_in_folder(mailbox, "INBOX", text).verdict is Verdict.INCONCLUSIVE
    assert message_is_delivered(Path("/nowhere"), text, to=[ADA]).verdict is Verdict.INCONCLUSIVE


def test_the_log_tells_whom_a_message_went_to_and_how_often(server: SmtpServer) -> None:
    verdicts = {
        name: message_is_delivered(server.log, f"<{name}@test>", to=[ADA]).verdict.value
        for name in ("one", "twice", "astray", "both", "no")
    }

    assert verdicts == {
        "one": "verified", "twice": "refuted", "astray": "refuted", "both": "refuted",
        "no": "refuted",
    }  # fmt: skip
    assert message_is_delivered(server.log, "<both@test>", to=[ADA, GRACE]).verdict == "verified"


def test_a_delivery_that_is_put_off_is_open_and_a_bounce_is_not(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    start = "Nov 21 19:00:00 host postfix"
    log.write_text(
        f"{start}/cleanup[1]: 4XyZ0a1b2c: message-id=<late@test>\n"
        f"{start}/smtp[2]: 4XyZ0a1b2c: to=<{ADA}>, relay=none, status=deferred (timed out)\n"
        f"{start}/cleanup[1]: 4XyZ0a1b2d: message-id=<back@test>\n"
        f"{start}/smtp[2]: 4XyZ0a1b2d: to=<{ADA}>, relay=mx, dsn=5.1.1, status=bounced (unknown)\n"
    )

    late, back = (message_is_delivered(log, f"<{n}@test>", to=[ADA]) for n in ("late", "back"))

    assert (late.verdict, back.verdict) == (Verdict.INCONCLUSIVE, Verdict.REFUTED)
    assert "bounced (unknown)" in back.seen


def test_a_log_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    seen = message_is_delivered(tmp_path / "rotated.log", "<one@test>", to=[ADA])

    assert (seen.verdict, seen.seen) == (Verdict.INCONCLUSIVE, "No such file or directory")
