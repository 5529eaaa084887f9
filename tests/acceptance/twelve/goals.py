"""What each goal looks like when it is reached: the verifiers that both skills of a pair share."""

from pathlib import Path
from typing import Any

from autonomy.sdk import Check, Evidence, VerifierContext
from autonomy.verification import (
    all_of,
    command_answers,
    count_is,
    file_contains,
    file_is,
    file_is_fresh,
    http_answers,
    json_matches,
    message_is_delivered,
    ref_contains,
    rows_are,
    sha256_of,
)
from tests.acceptance.twelve import world as at

Args = dict[str, Any]
SUMMARY = {
    "type": "object",
    "required": ["order", "total"],
    "properties": {"order": {"type": "integer"}, "total": {"type": "number"}},
}


def customer(number: int) -> str:
    """Who gets the invoice of this number."""
    return f"customer-{number}@example.org"


def published(ctx: VerifierContext, args: Args, result: object) -> Check:
    """The page is there, with what was to be published."""
    page = at.page(args["world"], f"page-{args['number']}")
    return http_answers(page, contains=f"order {args['number']}")


def reported(ctx: VerifierContext, args: Args, result: object) -> Evidence:
    """The report is kept, has been written now, and tells the total."""
    report = ctx.artifacts.get("report.txt", ctx.folder / "report.txt")
    return all_of(
        file_contains(report, f"order {args['number']}", "total"),
        file_is_fresh(report, since=ctx.started_at),
    )


def renewed(ctx: VerifierContext, args: Args, result: object) -> Evidence:
    """The list is complete, and is not the one of last week."""
    found = Path(args["world"], f"list-{args['number']}.txt")
    return all_of(file_contains(found, "complete"), file_is_fresh(found, since=ctx.started_at))


def invoiced(ctx: VerifierContext, args: Args, result: object) -> Check:
    """The customer, and nobody else, got the invoice, once."""
    number = args["number"]
    log = Path(at.places(args["world"])["mail_log"])
    return message_is_delivered(log, at.invoice(number), to=[customer(number)])


def booked(ctx: VerifierContext, args: Args, result: object) -> Evidence:
    """Every row of the batch is there, and no other."""
    number = args["number"]
    batch = "FROM bookings WHERE batch = %s"
    rows = [{"line": line} for line in range(at.ROWS)]
    return all_of(
        count_is("rows", ctx.query, f"SELECT count(*) {batch}", [number], exactly=at.ROWS),
        rows_are("lines", ctx.query, f"SELECT line {batch}", [number], expected=rows),
    )


def summed_up(ctx: VerifierContext, args: Args, result: object) -> Check:
    """The summary has the shape that was promised."""
    return json_matches(ctx.artifacts.get("summary.json", ctx.folder / "none"), SUMMARY)


def committed(ctx: VerifierContext, args: Args, result: object) -> Evidence:
    """The branch holds the order, on top of what was there before."""
    number, orders = args["number"], at.repository(args["world"])
    shown = ["git", "-c", "safe.directory=*", f"--git-dir={orders}", "cat-file", "blob"]
    return all_of(
        ref_contains(orders, at.branch(number), at.places(args["world"])["first_commit"]),
        command_answers([*shown, f"{at.branch(number)}:order.txt"], contains=f"order {number}"),
    )


def fetched(ctx: VerifierContext, args: Args, result: object) -> Check:
    """The copy has the very bytes of what was to be fetched."""
    source = Path(args["world"], "source.bin")
    return file_is(ctx.artifacts.get("copy.bin", ctx.folder / "none"), sha256=sha256_of(source))


def converted(ctx: VerifierContext, args: Args, result: object) -> Evidence:
    """Every letter of the batch has been converted."""
    letters = (ctx.folder / f"letter-{n}.md" for n in range(at.LETTERS))
    return all_of(*(file_contains(letter, "# Letter") for letter in letters))


def ordered_once(ctx: VerifierContext, args: Args, result: object) -> Check:
    """The server has exactly one order of this number."""
    return http_answers(at.page(args["world"], f"orders-{args['number']}"), contains='"orders": 1}')
