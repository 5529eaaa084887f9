"""What the twelve pairs of skills do to the world: real servers, files and a database."""

import json
import smtplib
import subprocess
import urllib.request
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from autonomy.sdk import Scope

SCOPE = Scope(write=("{world}",), network=True)
ROWS = 10
LETTERS = 5
_SECONDS = 20


@cache
def places(world: str) -> dict[str, Any]:
    """Where everything is."""
    found: dict[str, Any] = json.loads(Path(world, "places.json").read_text())
    return found


def page(world: str, name: str) -> str:
    """The address of a page."""
    return f"{places(world)['site']}/{name}"


def put(world: str, name: str, text: str) -> int:
    """Publish a page; raises where the server refuses."""
    return _sent(page(world, name), text, "PUT")


def post(world: str, name: str, text: str) -> int:
    """Place an order; the server keeps each one that it is sent."""
    return _sent(page(world, name), text, "POST")


def mail(world: str, number: int, to: str) -> None:
    """Send the invoice of this number."""
    message = EmailMessage()
    message["From"], message["To"] = "shop@example.org", to
    message["Subject"], message["Message-ID"] = f"Invoice {number}", invoice(number)
    message.set_content("as agreed")
    with smtplib.SMTP("127.0.0.1", places(world)["smtp"], timeout=_SECONDS) as server:
        server.send_message(message)


def invoice(number: int) -> str:
    """The Message-ID of an invoice."""
    return f"<invoice-{number}@shop.example.org>"


def insert(world: str, number: int, rows: int) -> None:
    """Book so many rows of a batch."""
    with psycopg.connect(places(world)["database"], connect_timeout=_SECONDS) as connection:
        for row in range(rows):
            connection.execute("INSERT INTO bookings VALUES (%s, %s)", (number, row))


def branch(number: int) -> str:
    """The branch that holds an order."""
    return f"refs/heads/order-{number}"


def commit(world: str, number: int, text: str) -> str:
    """Put a commit on the branch of an order; its id."""
    tree = _git(world, "mktree", given=f"100644 blob {_blob(world, text)}\torder.txt\n")
    first: str = places(world)["first_commit"]
    made = _git(world, "commit-tree", tree, "-p", first, "-m", f"order {number}")
    _git(world, "update-ref", branch(number), made)
    return made


def repository(world: str) -> Path:
    """The repository of orders."""
    return Path(world, "orders.git")


def _blob(world: str, text: str) -> str:
    return _git(world, "hash-object", "-w", "--stdin", given=text)


def _git(world: str, *words: str, given: str = "") -> str:
    settings = ("-c", "safe.directory=*", "-c", "user.name=shop", "-c", "user.email=shop@b.org")
    return subprocess.run(
        ["git", *settings, f"--git-dir={repository(world)}", *words],
        input=given, text=True, capture_output=True, check=True, timeout=_SECONDS,
    ).stdout.strip()  # fmt: skip


def _sent(url: str, text: str, method: str) -> int:
    request = urllib.request.Request(url, data=text.encode(), method=method)  # noqa: S310 -- ours
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 -- ours
        status: int = answer.status
        return status
