"""A ledger as two years of work leave it: outcomes, their sums, events, nodes, skills, open tasks.

Rows are made inside the server. The sums are made by the very statements that add up outcomes as
they are recorded, run over whole months.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.services.rollups import added_node_days, added_skill_days

SKILLS = 40
NODES = 30
MONTHS = 24

# A few skills do most of the work, and a few are rare; nodes are alike. One in a thousand is a
# canary's, 4 in 100 fail, 3 are stopped, 5 are not verified, one in 2,000 is inconclusive.
_OUTCOMES = """
INSERT INTO ledger_outcome (workspace_id, task_id, session_id, epoch, skill, node, tier, state,
    reason, verdict, evidence, decision_seconds, queue_seconds, run_seconds, verify_seconds,
    expected_seconds, retries, dollars, tokens, quality, error_class, canary, at)
SELECT %(workspace)s, task_id, gen_random_uuid(), 1, skill, node, tier, state,
    CASE state WHEN 'failed' THEN 'its verifier refuted it (attempt 3 of 3)' ELSE '' END,
    verdict,
    jsonb_build_object('verdict', verdict, 'checks', jsonb_build_array(jsonb_build_object(
        'looked_at', 'report-' || number || '.json', 'expected', 'a file newer than the start',
        'seen', md5(number::text), 'verdict', verdict))),
    0.004 + chance.c / 50, 0.01 + chance.c, exp(2 * chance.c) * (1 + number %% 7), 0.05,
    3, CASE WHEN chance.a < 0.08 THEN 1 + number %% 3 ELSE 0 END,
    CASE WHEN number %% 5 = 0 THEN 0.0123 ELSE 0 END, CASE WHEN number %% 5 = 0 THEN 900 ELSE 0 END,
    CASE WHEN verdict = 'verified' THEN 1 ELSE 0 END,
    CASE state WHEN 'failed' THEN 'verification' ELSE '' END, chance.d < 0.001, made
FROM (
    SELECT number, made, a, b, c, d,
        (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 15))::uuid
            AS task_id,
        'skill.' || lpad(least(floor(%(skills)s * b * b * b), %(skills)s - 1)::text, 2, '0')
            AS skill,
        'node-' || lpad((number %% %(nodes)s)::text, 2, '0') AS node,
        CASE WHEN a < 0.8 THEN 1 WHEN a < 0.95 THEN 2 ELSE 3 END AS tier,
        CASE WHEN c < 0.04 THEN 'failed' WHEN c < 0.06 THEN 'cancelled'
             WHEN c < 0.065 THEN 'expired' WHEN c < 0.07 THEN 'rejected' ELSE 'done' END AS state,
        CASE WHEN c < 0.03 THEN 'refuted' WHEN c < 0.0305 THEN 'inconclusive' WHEN c < 0.07 THEN ''
             WHEN c < 0.12 THEN 'unverified' ELSE 'verified' END AS verdict
      FROM (SELECT number, %(since)s::timestamptz
                + (%(until)s::timestamptz - %(since)s::timestamptz) * (number::float8 / %(count)s)
                AS made, random() AS a, random() AS b, random() AS c, random() AS d
              FROM generate_series(0, %(count)s - 1) AS number) AS each
) AS outcome, LATERAL (SELECT a, c, d) AS chance
"""
_EVENTS = """
INSERT INTO ledger_event (id, workspace_id, type, version, stream, stream_id, actor, cause, payload,
    at)
SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 15))::uuid,
    %(workspace)s,
    CASE WHEN number %% 50000 = 0 THEN 'component_paused'
         ELSE (ARRAY['task_submitted', 'task_dispatched', 'session_started', 'session_ended',
                     'task_done'])[1 + number %% 5] END,
    1,
    CASE WHEN number %% 50000 = 0 THEN 'component' ELSE 'task' END,
    md5((number / 5)::text)::uuid::text,
    CASE WHEN number %% 50000 = 0 THEN 'person:ada' WHEN number %% 5 = 0 THEN 'person:eve'
         ELSE 'node:node-01' END,
    '["person:eve", "task:1"]', jsonb_build_object('epoch', 1, 'from', 'running', 'reason', ''),
    made
FROM (SELECT number, now() - interval '90 days' * (1 - number::float8 / %(count)s) AS made
        FROM generate_series(1, %(count)s) AS number) AS each
"""
_SEALS = """
WITH head AS (
    SELECT number, last_sequence, last_transaction, last_event_id FROM ledger_block
     ORDER BY number DESC LIMIT 1
), numbered AS (
    SELECT e.id, e.transaction, head.last_sequence + row_number() OVER place AS sequence,
           head.number + 1 + (row_number() OVER place - 1) / 1000 AS block
      FROM ledger_event e, head
     WHERE (e.transaction, e.id) > (head.last_transaction, head.last_event_id)
    WINDOW place AS (ORDER BY e.transaction, e.id)
), blocks AS (
    INSERT INTO ledger_block (workspace_id, id, number, first_sequence, last_sequence,
        last_transaction, last_event_id, previous_hash, merkle_root, hash, sealed_at)
    SELECT %(workspace)s, gen_random_uuid(), block, min(sequence), max(sequence), max(transaction),
        (array_agg(id ORDER BY sequence DESC))[1], encode(sha256(block::text::bytea), 'hex'),
        repeat('0', 64), repeat('0', 64), now()
      FROM numbered GROUP BY block
    RETURNING id, number
)
INSERT INTO ledger_seal (event_id, workspace_id, block_id, sequence, event_hash)
SELECT numbered.id, %(workspace)s, blocks.id, sequence, repeat('0', 64)
  FROM numbered JOIN blocks ON blocks.number = numbered.block
"""
_MAP = """
INSERT INTO systemmap_component (workspace_id, id, kind, name, description, owner, tier, version,
    declaration, problem, paused, declared_at)
SELECT %(workspace)s, gen_random_uuid(), 'skill', 'skill.' || lpad(n::text, 2, '0'), 'Does it.',
    'ann', 1, 'v1', '{"has_verifier": true}', '', false, now() - interval '400 days'
  FROM generate_series(0, %(skills)s + 4) AS n;
INSERT INTO systemmap_node (workspace_id, id, name, labels, tiers, slots, versions, detectors,
    isolation, incarnation, paused, draining, started_at, seen_at)
SELECT %(workspace)s, gen_random_uuid(), 'node-' || lpad(n::text, 2, '0'), '{}', '{1,2,3}', 4,
    '{"skill.00": "v1"}', '{}', 3, gen_random_uuid(), false, false, now(), now() + interval '1 day'
  FROM generate_series(0, %(nodes)s - 1) AS n;
INSERT INTO ledger_nodescore (workspace_id, id, node, skill, value_sum, success_sum, weight, at)
SELECT %(workspace)s, gen_random_uuid(), 'node-' || lpad((n / 40)::text, 2, '0'),
    'skill.' || lpad((n %% 40)::text, 2, '0'), 3, 2, 4, now() FROM generate_series(0, 1199) AS n;
INSERT INTO ledger_skillestimate (workspace_id, id, skill, seconds_sum, success_sum,
    verified_weight, weight, at)
SELECT %(workspace)s, gen_random_uuid(), 'skill.' || lpad(n::text, 2, '0'), 9, 3, 3, 4, now()
  FROM generate_series(0, %(skills)s - 1) AS n;
UPDATE ledger_nodeday SET alive_seconds = 86400, slot_seconds = 345600, busy_seconds = 172800
"""
_TASKS = """
INSERT INTO tasks_task (workspace_id, id, run_id, key, skill, tier, args, state, reason, origin,
    requested_by, cause, canary, run_at, priority_hint, estimate_seconds, dependents, critical_path,
    waiting_on, always_run, allow_failure, epoch, attempt, max_attempts, node, action_digest,
    created_at, ready_at)
SELECT %(workspace)s, gen_random_uuid(), gen_random_uuid(), '', 'skill.01', 1, '{}', 'ready', '',
    'person:eve', 'person:eve', '[]', false, now(), 0, 1, 0, false, 0, false, false, 0, 0, 3, '',
    '', now(), now()
  FROM generate_series(1, %(count)s)
"""


@dataclass(frozen=True)
class Size:
    """How much there is."""

    outcomes: int
    events: int
    sealed_for_real: int
    open_tasks: int


def months() -> Iterator[tuple[str, datetime, datetime]]:
    """Each month of outcomes: its part, its beginning, and its end or now; made where missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m::date, m, least(m + interval '1 month', now()),"
            " 'ledger_outcome_' || to_char(m, 'YYYY_MM')"
            " FROM generate_series(date_trunc('month', now()) - make_interval(months => %s),"
            " now(), interval '1 month') AS m",
            [MONTHS - 1],
        )
        rows = cursor.fetchall()
        for month, since, until, part in rows:
            cursor.execute("SELECT ledger_make_month(%s)", [month])
            yield part, since, until


def outcomes(since: datetime, until: datetime, count: int) -> None:
    """Fill one month with outcomes."""
    _run(_OUTCOMES, since=since, until=until, count=count, skills=SKILLS, nodes=NODES)


def add_up(part: str) -> None:
    """Add the outcomes of a month to their days."""
    with connection.cursor() as cursor:
        cursor.execute(added_skill_days(part))
        cursor.execute(added_node_days(part))


def events(count: int) -> None:
    """Events of the last three months, as many as that."""
    _run(_EVENTS, count=count)


def seals() -> None:
    """Blocks over everything that is not sealed, in the form of the real ones, without hashes."""
    _run(_SEALS)


def system_map() -> None:
    """Skills and nodes as declared, alive, with scores."""
    _run(_MAP, skills=SKILLS, nodes=NODES)


def open_tasks(count: int) -> None:
    """Tasks that are ready to run."""
    _run(_TASKS, count=count)


def swept() -> None:
    """What autovacuum does in time: parts are vacuumed and their statistics taken."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@contextmanager
def unlimited() -> Iterator[None]:
    """Statements that fill may take long."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("RESET statement_timeout")


def _run(statement: str, **given: int | datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**given, "workspace": DEFAULT_WORKSPACE})
