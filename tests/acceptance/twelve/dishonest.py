"""Twelve skills that end without an error and have not done what they say (C-22)."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

from autonomy.sdk import Context, skill
from tests.acceptance.twelve import goals
from tests.acceptance.twelve import world as at


@skill(tier=1, scope=at.SCOPE, retries=1, backoff="0s")
def does_nothing(ctx: Context, world: str, number: int) -> int:
    """Exit 0 and do nothing."""
    return 201


@skill(tier=1, scope=at.SCOPE, retries=0)
def leaves_an_empty_file(ctx: Context, world: str, number: int) -> None:
    """Leave a file of the right name with nothing in it."""
    (ctx.artifacts / "report.txt").touch()


@skill(tier=1, scope=at.SCOPE, retries=0)
def leaves_a_stale_file(ctx: Context, world: str, number: int) -> str:
    """Leave the file of last week where it lies, which looks just as complete."""
    return Path(world, f"list-{number}.txt").read_text()


@skill(tier=1, scope=at.SCOPE, retries=0)
def mails_somebody_else(ctx: Context, world: str, number: int) -> None:
    """Send the right message to the wrong recipient."""
    at.mail(world, number, goals.customer(number + 1))


@skill(tier=1, scope=at.SCOPE, retries=0)
def books_half_the_rows(ctx: Context, world: str, number: int) -> int:
    """Book half of the rows, and answer with all of them."""
    at.insert(world, number, at.ROWS // 2)
    return at.ROWS


@skill(tier=1, scope=at.SCOPE, retries=0)
def answers_with_progress(ctx: Context, world: str, number: int) -> str:
    """Give a line of progress for a result."""
    (ctx.artifacts / "summary.json").write_text(f'{{"order": {number}, "status": "90 % done"}}')
    return "Done! The summary is complete (90 %)."


@skill(tier=1, scope=at.SCOPE, retries=0)
def swallows_an_error(ctx: Context, world: str, number: int) -> int:
    """Be refused by the server, and say nothing of it."""
    with contextlib.suppress(OSError):
        at.put(world, f"page-{number}?refuse=always", f"order {number}")
    return 201


@skill(tier=1, scope=at.SCOPE, retries=0)
def says_success_on_stderr(ctx: Context, world: str, number: int) -> None:
    """Print what commands print that have worked."""
    sys.stderr.write(f"[order-{number} 9f2a11c] order {number}\n 1 file changed\nSUCCESS\n")


@skill(tier=1, scope=at.SCOPE, retries=0)
def fetches_other_bytes(ctx: Context, world: str, number: int) -> None:
    """Leave a file of the right name and size with other bytes."""
    source = Path(world, "source.bin").read_bytes()
    (ctx.artifacts / "copy.bin").write_bytes(source[:-1] + bytes([source[-1] ^ 1]))


@skill(tier=1, scope=at.SCOPE, retries=0)
def sends_twice(ctx: Context, world: str, number: int) -> None:
    """Send the right message to the right recipient, twice."""
    for _ in range(2):
        at.mail(world, number, goals.customer(number))


@skill(tier=1, scope=at.SCOPE, retries=0)
def converts_part_of_a_batch(ctx: Context, world: str, number: int) -> int:
    """Convert all letters but the last, and answer with all of them."""
    for letter in range(at.LETTERS - 1):
        (ctx.folder / f"letter-{letter}.md").write_text("# Letter")
    shutil.copyfile(ctx.folder / "letter-0.md", ctx.folder / "letter-0.copy.md")
    return at.LETTERS


@skill(tier=1, scope=at.SCOPE, retries=1, backoff="0s")
def crashes_after_the_effect(ctx: Context, world: str, number: int) -> None:
    """Place an order behind the platform's back, crash, and place it again."""
    at.post(world, f"orders-{number}", "order")
    if ctx.attempt == 1:
        os._exit(9)


does_nothing.verify(goals.published)
leaves_an_empty_file.verify(goals.reported)
leaves_a_stale_file.verify(goals.renewed)
mails_somebody_else.verify(goals.invoiced)
books_half_the_rows.verify(goals.booked)
answers_with_progress.verify(goals.summed_up)
swallows_an_error.verify(goals.published)
says_success_on_stderr.verify(goals.committed)
fetches_other_bytes.verify(goals.fetched)
sends_twice.verify(goals.invoiced)
converts_part_of_a_batch.verify(goals.converted)
crashes_after_the_effect.verify(goals.ordered_once)
