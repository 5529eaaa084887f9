"""What people did is rare among events, and counted on every page."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX event_by_person ON ledger_event (id) WHERE actor LIKE 'person:%'",
            "DROP INDEX event_by_person",
        ),
    ]
