"""What is rare among events is found by an index of its own, which costs the frequent ones nothing."""

from django.db import migrations

RARE = """
CREATE INDEX event_rare_type ON ledger_event (type, id) WHERE type NOT IN (
    'task_submitted', 'task_unblocked', 'task_dispatched', 'session_started', 'session_said',
    'session_ended', 'effect_begun', 'effect_done', 'task_ready', 'task_done')
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_sums_per_day")]

    operations = [
        migrations.RunSQL(RARE, "DROP INDEX event_rare_type"),
        migrations.RunSQL(
            "CREATE INDEX event_intervention ON ledger_event (id)"
            " WHERE actor LIKE 'person:%' AND type <> 'task_submitted'",
            "DROP INDEX event_intervention",
        ),
        migrations.RunSQL(
            "DROP INDEX event_by_person",
            "CREATE INDEX event_by_person ON ledger_event (id) WHERE actor LIKE 'person:%'",
        ),
    ]
