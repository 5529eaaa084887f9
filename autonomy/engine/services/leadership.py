"""One leader by a lease in the database; whoever else runs is a hot spare (D-1).

A row and not a session lock, so that it also holds behind a transaction pooler.
"""

from uuid import UUID

from django.db import connection

LEASE_SECONDS = 6
RENEW_SECONDS = 2

# A lease that lasts longer than any was given for was taken before the clock went back.
_LEAD = """
INSERT INTO engine_leadership (name, holder, until)
VALUES ('engine', %(holder)s, now() + make_interval(secs => %(lease)s))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE engine_leadership.holder = excluded.holder OR engine_leadership.until < now()
   OR engine_leadership.until > now() + 2 * make_interval(secs => %(lease)s)
"""


def lead(holder: UUID) -> bool:
    """Take or renew the lead; false while another engine holds it."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAD, {"holder": holder, "lease": LEASE_SECONDS})
        return bool(cursor.rowcount)


def step_down(holder: UUID) -> None:
    """Give the lead up at once, so that a spare need not wait for the lease."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM engine_leadership WHERE holder = %s", [holder])
