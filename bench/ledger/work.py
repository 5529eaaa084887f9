"""What the benchmark does, once Django is set up on an empty database."""

import threading
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from bench.figures import say
from bench.ledger import filling, queries
from bench.ledger.filling import Size
from bench.ledger.measuring import Timing, peak_bytes, seconds, timed
from ledger.domain.ids import new_id
from ledger.domain.verification import Verification
from ledger.models import Event, Outcome
from ledger.services import Fact, NewOutcome, record, record_outcomes, seal, turn_months, verify
from ledger.services.months import keep_months

WHOLE = Size(outcomes=10_000_000, events=3_000_000, sealed_for_real=200_000, open_tasks=100_000)
QUICK = Size(outcomes=200_000, events=50_000, sealed_for_real=5_000, open_tasks=2_000)
"""Enough for a look, not for a figure."""


def measured(size: Size) -> dict[str, Any]:
    """Every figure."""
    call_command("migrate", verbosity=0)
    found = _chain(size)
    with filling.unlimited():
        found |= _filled(size)
    timings = _asked()
    return {**found, **_sizes(), "timings": [asdict(t) for t in timings], **_dropped()}


def _chain(size: Size) -> dict[str, Any]:
    """Real events, really sealed and verified."""
    for _ in range(size.sealed_for_real // 500):
        with transaction.atomic():
            record(*(_event(number) for number in range(500)))
    sealed = seconds(_seal_all)
    verified_before = peak_bytes()
    verified = seconds(lambda: _agrees(verify()))
    return {
        "sealed_per_second": size.sealed_for_real / sealed,
        "verified_per_second": size.sealed_for_real / verified,
        "verify_memory_bytes": peak_bytes() - verified_before,
    }


def _event(number: int) -> Fact:
    payload = {"from": "running", "epoch": 3, "reason": "", "verdict": "verified"}
    body = "It has read 14 of 20 pages." if number % 10 == 0 else ""
    return Fact("task_done", "task", str(new_id()), "node:n1", payload, body=body)


def _seal_all() -> None:
    while seal():
        pass


def _agrees(found: Verification) -> None:
    if not found.ok:
        raise AssertionError(f"the chain of the benchmark does not agree: {found.problem}")


def _filled(size: Size) -> dict[str, Any]:
    months = list(filling.months())
    each = size.outcomes // len(months)
    adding = 0.0
    for number, (part, since, until) in enumerate(months, start=1):
        say(f"month {number} of {len(months)}")
        filling.outcomes(since, until, each)
        adding += seconds(partial(filling.add_up, part))
    filling.events(size.events)
    filling.seals()
    filling.system_map()
    filling.open_tasks(size.open_tasks)
    say("vacuum")
    filling.swept()
    return {
        "outcomes": Outcome.objects.count(),
        "events": Event.objects.count(),
        "added_up_per_second": each * len(months) / adding,
    }


def _asked() -> list[Timing]:
    found = []
    for name, ask in {**queries.selectors(), **queries.pages()}.items():
        found.append(timed(name, ask))
        say(f"{name}: {found[-1].database_ms:.1f} ms of {found[-1].whole_ms:.1f}")
    return found


def _sizes() -> dict[str, float]:
    return {
        "outcome_bytes": _bytes_of("ledger_outcome") / Outcome.objects.count(),
        "event_bytes": (_bytes_of("ledger_event") + _bytes_of("ledger_seal"))
        / Event.objects.count(),
        "sums_bytes": _bytes_of("ledger_skillday") + _bytes_of("ledger_nodeday"),
    }


def _bytes_of(table: str) -> int:
    """A table with its parts and indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT sum(pg_total_relation_size(relid))"
            " FROM pg_partition_tree(%(table)s::regclass) WHERE isleaf),"
            " pg_total_relation_size(%(table)s::regclass))",
            {"table": table},
        )
        return int(cursor.fetchone()[0])


def _dropped() -> dict[str, Any]:
    """Drop the oldest month, while outcomes are recorded all the time."""
    keep_months(filling.MONTHS - 2)
    before, waits, done = Outcome.objects.count(), [0.0], threading.Event()
    writer = threading.Thread(target=_record_on, args=(waits, done))
    writer.start()
    took = seconds(lambda: _some_month(turn_months()))
    done.set()
    writer.join()
    left = Outcome.objects.count() - len(waits) + 1
    return {"drop_seconds": took, "dropped": before - left, "held_up_ms": 1000 * max(waits)}


def _some_month(month: str) -> None:
    if not month:
        raise AssertionError("no month was dropped")


def _record_on(waits: list[float], done: threading.Event) -> None:
    """Record outcomes one by one, and how long each took."""
    try:
        while not done.is_set():
            made = NewOutcome(new_id(), 1, "skill.00", 1, "done", verdict="verified", node="n1")
            waits.append(seconds(partial(record_outcomes, [made])))
    finally:
        connection.close()
