"""What is added up per day is what a recount of the outcomes gives."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.ids import new_id
from ledger.domain.outcomes import NewOutcome
from ledger.domain.spread import BOUNDS, BUCKETS, bucket
from ledger.models import NodeDay, Outcome, SkillDay
from ledger.services import record_outcomes
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = st.sampled_from([0.0, 0.0005, 0.001, 0.002, 0.3, 4.0, 17.5, 3600.0, 9e5])
OUTCOMES = st.builds(
    NewOutcome,
    task_id=st.builds(new_id),
    epoch=st.just(1),
    skill=st.sampled_from(["tidy", "send", "merge"]),
    node=st.sampled_from(["", "a", "b"]),
    tier=st.integers(1, 3),
    state=st.sampled_from(["done", "failed", "cancelled", "rejected", "expired"]),
    verdict=st.sampled_from(["", "verified", "unverified", "refuted", "inconclusive"]),
    session_id=st.one_of(st.none(), st.builds(new_id)),
    decision_seconds=st.one_of(st.none(), SECONDS),
    queue_seconds=SECONDS,
    run_seconds=SECONDS,
    verify_seconds=SECONDS,
    expected_seconds=SECONDS,
    retries=st.integers(0, 3),
    dollars=st.decimals(0, 5, places=6),
    tokens=st.integers(0, 10**6),
    quality=st.one_of(st.none(), st.floats(0, 1)),
    canary=st.sampled_from([False, False, False, True]),
)


def _recount() -> tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, int]]]:
    """The sums by skill and by node, from the outcomes alone and in plain Python."""
    skills: dict[Any, list[Outcome]] = defaultdict(list)
    nodes: dict[Any, list[Outcome]] = defaultdict(list)
    for outcome in Outcome.objects.all():
        day = outcome.at.astimezone(UTC).date()
        skills[outcome.skill, day].append(outcome)
        if outcome.node:
            nodes[outcome.node, day].append(outcome)
    return (
        {key: _of_skill(rows) for key, rows in skills.items()},
        {key: _of_node(rows) for key, rows in nodes.items()},
    )


def _of_node(rows: list[Outcome]) -> dict[str, int]:
    ours = [row for row in rows if not row.canary and row.state in ("done", "failed")]
    return {
        "ended": len(ours),
        "verified": sum(row.state == "done" and row.verdict == "verified" for row in ours),
        "failed": sum(row.state == "failed" for row in ours),
    }


def _of_skill(rows: list[Outcome]) -> dict[str, Any]:
    ours = [row for row in rows if not row.canary]
    ended = [row for row in ours if row.state in ("done", "failed")]
    ran = [row for row in ours if row.state == "done" or row.session_id or row.retries]
    done = [row for row in ended if row.state == "done"]
    good = [row for row in done if row.verdict == "verified"]
    decided = [row.decision_seconds for row in ended if row.decision_seconds is not None]
    return {
        "ran": len(ran),
        "ended": len(ended),
        "verified": len(good),
        "unverified": len(done) - len(good),
        "failed": len(ended) - len(done),
        "stopped": len(ours) - len(ended),
        "first": sum(row.retries == 0 for row in ended),
        "first_verified": sum(row.retries == 0 for row in good),
        "canaries": len(rows) - len(ours),
        "retries": sum(row.retries for row in ours),
        "dollars": sum((row.dollars for row in ours), Decimal(0)),
        "tokens": sum(row.tokens for row in ours),
        "run_seconds": sum(row.run_seconds for row in ended),
        "verify_seconds": sum(row.verify_seconds for row in ended),
        "expected_seconds": sum(row.expected_seconds for row in ended),
        "quality_sum": sum(row.quality for row in ended if row.quality is not None),
        "quality_count": sum(row.quality is not None for row in ended),
        "runs": _spread([row.run_seconds for row in ended if row in ran]),
        "queues": _spread([row.queue_seconds for row in ended if row in ran]),
        "decisions": _spread(decided),
        "last_ran_at": max((row.at for row in ran), default=None),
        "last_verified_at": max((row.at for row in good), default=None),
    }


def _spread(durations: list[float]) -> list[int]:
    counts = [0] * BUCKETS
    for seconds in durations:
        counts[bucket(seconds)] += 1
    return counts


def _agrees() -> None:
    skills, nodes = _recount()
    stored_skills = {(row.skill, row.day): row for row in SkillDay.objects.all()}
    stored_nodes = {(row.node, row.day): row for row in NodeDay.objects.all()}
    assert stored_skills.keys() == skills.keys()
    assert stored_nodes.keys() == nodes.keys()
    for key, sums in skills.items():
        found = {name: getattr(stored_skills[key], name) for name in sums}
        assert found == {n: pytest.approx(s) if type(s) is float else s for n, s in sums.items()}
    for key, counts in nodes.items():
        assert {name: getattr(stored_nodes[key], name) for name in counts} == counts


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(OUTCOMES, max_size=12), max_size=4))
def test_the_sums_are_those_of_a_recount(batches: list[list[NewOutcome]]) -> None:
    with transaction.atomic():
        for batch in batches:
            record_outcomes(batch)
        _agrees()
        transaction.set_rollback(True)


def test_an_outcome_that_was_there_already_is_not_added_again() -> None:
    made = NewOutcome(task_id=new_id(), epoch=1, skill="s", tier=1, state="done", node="a")
    record_outcomes([made])
    record_outcomes([made, replace(made, task_id=new_id())])

    _agrees()
    assert SkillDay.objects.get().ended == 2


def test_what_is_undone_is_not_added() -> None:
    with transaction.atomic():
        record_outcomes(
            [NewOutcome(task_id=new_id(), epoch=1, skill="s", tier=1, state="done", node="a")]
        )
        transaction.set_rollback(True)

    assert not SkillDay.objects.exists()


def test_what_nobody_verified_is_no_success_and_canaries_count_apart() -> None:
    done = NewOutcome(
        task_id=new_id(), epoch=1, skill="s", tier=1, state="done", verdict="unverified"
    )
    record_outcomes([done, replace(done, task_id=new_id(), verdict="verified", canary=True)])

    day = SkillDay.objects.get()
    assert (day.ended, day.verified, day.unverified, day.canaries) == (1, 0, 1, 1)
    assert day.last_verified_at is None


@pytest.mark.timeout(90)
def test_eight_settling_at_once_lose_nothing_and_never_wait_in_a_ring() -> None:
    writers, rounds = 8, 12

    def write(seed: int) -> Callable[[], None]:
        def act() -> None:
            chance = random.Random(seed)  # noqa: S311
            for _ in range(rounds):
                with transaction.atomic():
                    record_outcomes([_some(chance) for _ in range(chance.randint(1, 20))])

        return act

    at_once(*(write(seed) for seed in range(writers)), limit_seconds=60)

    assert Outcome.objects.count() > writers * rounds
    _agrees()


def _some(chance: random.Random) -> NewOutcome:
    return NewOutcome(
        task_id=new_id(),
        epoch=1,
        skill=f"s{chance.randrange(6)}",
        node=f"n{chance.randrange(6)}",
        tier=1,
        state=chance.choice(["done", "failed"]),
        verdict=chance.choice(["verified", "refuted"]),
        run_seconds=chance.random(),
        session_id=new_id(),
    )


def test_the_database_puts_durations_where_the_arithmetic_does() -> None:
    around = [edge * (1 + shift) for edge in BOUNDS for shift in (-1e-9, 0, 1e-9)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_bucket(s) FROM unnest(%s::float8[]) WITH ORDINALITY AS u(s, place)"
            " ORDER BY place",
            [around],
        )
        places = [place for (place,) in cursor.fetchall()]

    assert places == [bucket(seconds) for seconds in around]
