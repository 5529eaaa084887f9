"""The second wall around what happened: nobody changes or removes it, whatever their rights are."""

from django.db import migrations

TABLES = ["ledger_event", "ledger_block", "ledger_seal", "ledger_outcome"]

# The tests empty tables between cases; `autonomy.testing` lets them, and only truncate.
REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_setting('autonomy.testing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
"""

# Fades an amount by its age; what has faded to nothing is 0, where power() would raise an underflow.
FADED = """
CREATE FUNCTION ledger_faded(amount float8, age interval, half_life float8) RETURNS float8
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN amount < 1e-30 OR extract(epoch FROM age) > 64 * half_life THEN 0
                ELSE amount * power(0.5, extract(epoch FROM age)::float8 / half_life) END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION ledger_refuse()"),
        *(
            migrations.RunSQL(
                TRIGGER.format(table=table), f"DROP TRIGGER {table}_append_only ON {table}"
            )
            for table in TABLES
        ),
        migrations.RunSQL(
            FADED, "DROP FUNCTION ledger_faded(float8, interval, float8)"
        ),
        migrations.RunSQL(
            "CREATE INDEX outcome_time ON ledger_outcome USING brin (at)", "DROP INDEX outcome_time"
        ),
    ]
