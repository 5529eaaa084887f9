"""Outcomes in one partition per month, so that a month is dropped in one statement (C-25).

A UUIDv7 begins with the time it was made at, so a month is a range of keys: the key stays unique
over all months. What has another kind of key, or belongs to a month that is gone, goes to the rest.
"""

from django.db import migrations, models

FIRST_ID = """
CREATE FUNCTION ledger_first_id(since timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM since) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$
"""

# ATTACH locks the whole table far less than CREATE TABLE ... PARTITION OF would. Rows of the month
# that are in the rest, because the month was not made in time, move with it.
MAKE_MONTH = """
CREATE FUNCTION ledger_make_month(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part text := 'ledger_outcome_' || to_char(month, 'YYYY_MM');
    since uuid := ledger_first_id(month::timestamp AT TIME ZONE 'UTC');
    until uuid := ledger_first_id((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE ledger_outcome INCLUDING ALL)', part);
    IF EXISTS (SELECT FROM ledger_outcome_rest WHERE task_id >= since AND task_id < until) THEN
        ALTER TABLE ledger_outcome_rest DISABLE TRIGGER ledger_outcome_append_only;
        EXECUTE format('WITH moved AS (DELETE FROM ledger_outcome_rest'
            ' WHERE task_id >= $1 AND task_id < $2 RETURNING *)'
            ' INSERT INTO %I SELECT * FROM moved', part) USING since, until;
        ALTER TABLE ledger_outcome_rest ENABLE TRIGGER ledger_outcome_append_only;
    END IF;
    EXECUTE format('CREATE TRIGGER ledger_outcome_append_only BEFORE UPDATE OR DELETE OR TRUNCATE'
        ' ON %I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()', part);
    EXECUTE format('ALTER TABLE ledger_outcome ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, since, until);
    RETURN true;
END $$
"""

CONVERT = """
DO $$
DECLARE
    month date;
    who record;
BEGIN
    ALTER TABLE ledger_outcome RENAME TO ledger_outcome_whole;
    ALTER INDEX ledger_outcome_pkey RENAME TO ledger_outcome_whole_pkey;
    DROP INDEX outcome_skill, outcome_time;
    CREATE TABLE ledger_outcome (
        LIKE ledger_outcome_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        decision_seconds float8,
        PRIMARY KEY (task_id)
    ) PARTITION BY RANGE (task_id);
    CREATE TABLE ledger_outcome_rest PARTITION OF ledger_outcome DEFAULT;
    CREATE INDEX outcome_time ON ledger_outcome (at DESC);
    CREATE INDEX outcome_skill ON ledger_outcome (skill, at DESC);
    CREATE INDEX outcome_unproven ON ledger_outcome (state, verdict, at DESC)
        WHERE verdict <> 'verified';
    CREATE INDEX outcome_canary ON ledger_outcome (at DESC) WHERE canary;
    -- A statement on the whole fires its trigger, one on a part that of the part.
    CREATE TRIGGER ledger_outcome_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
        ON ledger_outcome FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
    CREATE TRIGGER ledger_outcome_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
        ON ledger_outcome_rest FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

    FOR month IN SELECT generate_series(
            date_trunc('month', greatest(coalesce(min(at), now()), now() - interval '10 years')
                AT TIME ZONE 'UTC') - interval '1 month',
            date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months',
            interval '1 month')::date
        FROM ledger_outcome_whole
    LOOP
        PERFORM ledger_make_month(month);
    END LOOP;
    INSERT INTO ledger_outcome SELECT * FROM ledger_outcome_whole;

    -- Whoever might use the table before still may.
    FOR who IN SELECT grantee, privilege_type FROM pg_class c, aclexplode(c.relacl)
        WHERE c.oid = 'ledger_outcome_whole'::regclass AND grantee NOT IN (0, c.relowner)
    LOOP
        EXECUTE format('GRANT %s ON ledger_outcome TO %s',
            who.privilege_type, who.grantee::regrole);
    END LOOP;
    DROP TABLE ledger_outcome_whole;
END $$
"""

BACK = """
DO $$
BEGIN
    ALTER TABLE ledger_outcome RENAME TO ledger_outcome_months;
    ALTER INDEX ledger_outcome_pkey RENAME TO ledger_outcome_months_pkey;
    DROP INDEX outcome_skill, outcome_time;
    CREATE TABLE ledger_outcome (
        LIKE ledger_outcome_months INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (task_id));
    INSERT INTO ledger_outcome SELECT * FROM ledger_outcome_months;
    ALTER TABLE ledger_outcome DROP COLUMN decision_seconds;
    DROP TABLE ledger_outcome_months;
    CREATE INDEX outcome_skill ON ledger_outcome (skill, at DESC);
    CREATE INDEX outcome_time ON ledger_outcome USING brin (at);
    CREATE TRIGGER ledger_outcome_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
        ON ledger_outcome FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
END $$
"""

KEPT = """
CREATE OR REPLACE FUNCTION ledger_months_kept() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 24'
"""

# Runs with the rights of the owner, so it takes nothing from its caller: how long outcomes are kept
# was said by the owner. It drops one month at a time and waits for no lock longer than a second.
TURN_MONTHS = """
CREATE FUNCTION ledger_turn_months() RETURNS TABLE (month date, outcomes bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '1s' AS $$
DECLARE
    this date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    part record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ledger.months'), 0) THEN
        RETURN;
    END IF;
    FOR ahead IN 0..3 LOOP
        PERFORM ledger_make_month((this + make_interval(months => ahead))::date);
    END LOOP;
    IF ledger_months_kept() <= 0 THEN
        RETURN;
    END IF;
    SELECT c.relname, c.reltuples, to_date(right(c.relname, 7), 'YYYY_MM') AS of INTO part
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'ledger_outcome'::regclass
       AND c.relname ~ '^ledger_outcome_[0-9]{4}_[0-9]{2}$'
       AND to_date(right(c.relname, 7), 'YYYY_MM')
           < this - make_interval(months => ledger_months_kept())
     ORDER BY 3 LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    month := part.of;
    outcomes := part.reltuples;
    IF part.reltuples < 2e6 THEN  -- else as vacuum has counted them: a node waits for this
        EXECUTE format('SELECT count(*) FROM %I', part.relname) INTO outcomes;
    END IF;
    EXECUTE format('DROP TABLE %I', part.relname);
    RETURN NEXT;
END $$
"""

# Nothing that a caller has made can stand in for what the function names.
CLOSED = """
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ledger_turn_months() SET search_path = %I, pg_temp',
        current_schema());
    REVOKE ALL ON FUNCTION ledger_turn_months() FROM PUBLIC;
    REVOKE ALL ON FUNCTION ledger_make_month(date) FROM PUBLIC;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_by_person")]

    operations = [
        migrations.RunSQL(FIRST_ID, "DROP FUNCTION ledger_first_id(timestamptz)"),
        migrations.RunSQL(MAKE_MONTH, "DROP FUNCTION ledger_make_month(date)"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CONVERT, BACK)],
            state_operations=[
                migrations.AddField("outcome", "decision_seconds", models.FloatField(null=True)),
                migrations.RemoveIndex("outcome", "outcome_skill"),
                migrations.AddIndex(
                    "outcome", models.Index(fields=["-at"], name="outcome_time")
                ),
                migrations.AddIndex(
                    "outcome", models.Index(fields=["skill", "-at"], name="outcome_skill")
                ),
                migrations.AddIndex(
                    "outcome",
                    models.Index(
                        fields=["state", "verdict", "-at"],
                        condition=~models.Q(verdict="verified"),
                        name="outcome_unproven",
                    ),
                ),
                migrations.AddIndex(
                    "outcome",
                    models.Index(
                        fields=["-at"], condition=models.Q(canary=True), name="outcome_canary"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(KEPT, "DROP FUNCTION ledger_months_kept()"),
        migrations.RunSQL(TURN_MONTHS, "DROP FUNCTION ledger_turn_months()"),
        migrations.RunSQL(CLOSED, migrations.RunSQL.noop),
    ]
