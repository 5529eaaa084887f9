"""Months are made or dropped, never both in one transaction.

Making one locks the rest and dropping one the whole, and whoever reads locks the whole and then the
rest: together they could wait for each other in a ring.
"""

from django.db import migrations

TURN_MONTHS = """
CREATE OR REPLACE FUNCTION ledger_turn_months() RETURNS TABLE (month date, outcomes bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '1s' AS $$
DECLARE
    this date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    made boolean := false;
    part record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ledger.months'), 0) THEN
        RETURN;
    END IF;
    FOR ahead IN 0..3 LOOP
        made := ledger_make_month((this + make_interval(months => ahead))::date) OR made;
    END LOOP;
    IF made OR ledger_months_kept() <= 0 THEN
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
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ledger_turn_months() SET search_path = %I, pg_temp',
        current_schema());
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_no_sums_of_arrays")]

    operations = [migrations.RunSQL(TURN_MONTHS, migrations.RunSQL.noop)]
