"""Twelve skills that do what they say."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from autonomy.sdk import Check, Context, skill
from autonomy.verification import http_answers
from tests.acceptance.twelve import goals
from tests.acceptance.twelve import world as at


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def publish(ctx: Context, world: str, number: int) -> int:
    """Publish a page."""
    return at.put(world, f"page-{number}", f"<p>order {number}</p>")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def report(ctx: Context, world: str, number: int) -> None:
    """Write a report."""
    (ctx.artifacts / "report.txt").write_text(f"order {number}, total {number * 12}")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def renew(ctx: Context, world: str, number: int) -> None:
    """Write a list anew."""
    Path(world, f"list-{number}.txt").write_text("complete")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def bill(ctx: Context, world: str, number: int) -> None:
    """Send an invoice to its customer."""
    ctx.effect("send", lambda: at.mail(world, number, goals.customer(number)))


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def book(ctx: Context, world: str, number: int) -> None:
    """Book a batch of rows."""
    at.insert(world, number, at.ROWS)


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def sum_up(ctx: Context, world: str, number: int) -> None:
    """Write a summary."""
    (ctx.artifacts / "summary.json").write_text(json.dumps({"order": number, "total": 12.5}))


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def publish_late(ctx: Context, world: str, number: int) -> int:
    """Publish a page on a server that refuses it once."""
    try:
        return at.put(world, f"page-{number}?refuse=once", f"order {number}")
    except OSError:
        return at.put(world, f"page-{number}", f"order {number}")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def commit(ctx: Context, world: str, number: int) -> str:
    """Put an order on a branch."""
    return at.commit(world, number, f"order {number}")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def fetch(ctx: Context, world: str, number: int) -> None:
    """Copy a file."""
    shutil.copyfile(Path(world, "source.bin"), ctx.artifacts / "copy.bin")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def bill_once(ctx: Context, world: str, number: int) -> None:
    """Send an invoice, and no second one in another attempt."""
    ctx.effect("send", lambda: at.mail(world, number, goals.customer(number)))
    if ctx.attempt == 1:
        raise RuntimeError("the printer is out of paper")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def convert(ctx: Context, world: str, number: int) -> None:
    """Convert a batch of letters."""
    for letter in range(at.LETTERS):
        (ctx.folder / f"letter-{letter}.md").write_text("# Letter")


@skill(tier=1, scope=at.SCOPE, backoff="0s")
def order(ctx: Context, world: str, number: int) -> None:
    """Place an order, and crash before anybody has heard that it was placed."""

    def place() -> None:
        at.post(world, f"orders-{number}", ctx.idempotency_key("order"))
        if ctx.attempt == 1:
            os._exit(9)

    ctx.effect("order", place)


@order.reconcile
def _(ctx: Context, step: str, args: dict[str, Any]) -> Check:
    return http_answers(at.page(args["world"], f"orders-{args['number']}"), contains='"orders": 1}')


publish.verify(goals.published)
report.verify(goals.reported)
renew.verify(goals.renewed)
bill.verify(goals.invoiced)
book.verify(goals.booked)
sum_up.verify(goals.summed_up)
publish_late.verify(goals.published)
commit.verify(goals.committed)
fetch.verify(goals.fetched)
bill_once.verify(goals.invoiced)
convert.verify(goals.converted)
order.verify(goals.ordered_once)
