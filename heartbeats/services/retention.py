"""Forgetting ticks that found nothing, so that a detector at work every second fills no disk."""

from datetime import timedelta

from django.db import connection

KEPT = timedelta(days=3)
AT_ONCE = 20_000

# Keys begin with the time they were made at, so that old rows stand together at their start.
_FORGET = """
DELETE FROM heartbeats_tick WHERE id IN (
    SELECT t.id FROM heartbeats_tick t
    WHERE t.id < rpad(lpad(to_hex(
              floor(extract(epoch FROM now() - make_interval(secs => %s)) * 1000)::bigint
          ), 12, '0'), 32, '0')::uuid
      AND t.state IN ('done', 'skipped')
      AND NOT EXISTS (SELECT 1 FROM heartbeats_noticed n WHERE n.tick_id = t.id)
    ORDER BY t.id
    LIMIT %s
    FOR UPDATE SKIP LOCKED)
"""


def forget_ticks(older_than: timedelta = KEPT, limit: int = AT_ONCE) -> int:
    """Delete up to `limit` old ticks that led to nothing; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [older_than.total_seconds(), limit])
        deleted: int = cursor.rowcount
    return deleted
