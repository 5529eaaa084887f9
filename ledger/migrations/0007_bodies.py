"""What an event says of people stands apart from it and can be erased; the event holds its hash (C-24)."""

from django.db import migrations, models

from ledger.domain.ids import DEFAULT_WORKSPACE

KEEP = """
CREATE TRIGGER ledger_body_append_only BEFORE UPDATE OR TRUNCATE ON ledger_body
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_erased(event_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM ledger_event e WHERE e.stream = 'event'
        AND e.stream_id = event_id::text AND e.type = 'body_erased')
$$;

CREATE FUNCTION ledger_refuse_unsaid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ledger_erased(OLD.event_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'ledger_body is append-only: nothing says that % was erased', OLD.event_id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_body_erased_openly BEFORE DELETE ON ledger_body
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unsaid();
"""
# Runs with the rights of the owner; the trigger lets through only what an event says.
ERASE = """
CREATE FUNCTION ledger_erase(body uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM ledger_body b WHERE b.event_id = body;
    RETURN FOUND;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ledger_erase(uuid) SET search_path = %I, pg_temp',
        current_schema());
    REVOKE ALL ON FUNCTION ledger_erase(uuid) FROM PUBLIC;
END $$
"""
UNDO = """
DROP FUNCTION ledger_erase(uuid);
DROP TRIGGER ledger_body_append_only ON ledger_body;
DROP TRIGGER ledger_body_erased_openly ON ledger_body;
DROP FUNCTION ledger_refuse_unsaid();
DROP FUNCTION ledger_erased(uuid)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_rare_events")]

    operations = [
        migrations.AddField(
            "event", "body_hash", models.CharField(blank=True, db_default="", max_length=64)
        ),
        migrations.CreateModel(
            name="Body",
            fields=[
                ("workspace_id", models.UUIDField(default=DEFAULT_WORKSPACE, editable=False)),
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("salt", models.BinaryField()),
                ("text", models.TextField()),
            ],
            options={
                "verbose_name_plural": "bodies",
                "permissions": [("erase_body", "May erase the body of an event")],
            },
        ),
        migrations.RunSQL(KEEP + ERASE, UNDO),
    ]
