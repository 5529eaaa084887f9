"""What outcomes add up to per day, kept after they are dropped (C-25)."""

import django.contrib.postgres.fields
from django.db import migrations, models

from ledger.domain.ids import DEFAULT_WORKSPACE

# The bounds of domain/spread.py; a test compares them.
BUCKET = """
CREATE FUNCTION ledger_bucket(seconds float8) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT width_bucket(seconds, '{
        0.001,0.001189207115002721,0.0014142135623730952,0.001681792830507429,0.002,0.002378414230005442,
        0.0028284271247461905,0.003363585661014858,0.004,0.004756828460010884,0.005656854249492381,
        0.006727171322029716,0.008,0.009513656920021768,0.011313708498984762,0.013454342644059432,0.016,
        0.019027313840043535,0.022627416997969524,0.026908685288118864,0.032,0.03805462768008707,
        0.04525483399593905,0.05381737057623773,0.064,0.07610925536017414,0.0905096679918781,
        0.10763474115247545,0.128,0.15221851072034828,0.1810193359837562,0.2152694823049509,0.256,
        0.30443702144069656,0.3620386719675124,0.4305389646099018,0.512,0.6088740428813931,0.7240773439350248,
        0.8610779292198036,1.024,1.2177480857627863,1.4481546878700495,1.7221558584396073,2.048,
        2.4354961715255725,2.896309375740099,3.4443117168792146,4.096,4.870992343051145,5.792618751480198,
        6.888623433758429,8.192,9.74198468610229,11.585237502960396,13.777246867516858,16.384,19.48396937220458,
        23.170475005920792,27.554493735033716,32.768,38.96793874440916,46.340950011841585,55.10898747006743,
        65.536,77.93587748881832,92.68190002368317,110.21797494013487,131.072,155.87175497763664,
        185.36380004736634,220.43594988026973,262.144,311.7435099552733,370.7276000947327,440.87189976053946,
        524.288,623.4870199105466,741.4552001894654,881.7437995210789,1048.576,1246.9740398210931,
        1482.9104003789307,1763.4875990421579,2097.152,2493.9480796421863,2965.8208007578614,3526.9751980843157,
        4194.304,4987.8961592843725,5931.641601515723,7053.950396168631,8388.608,9975.792318568745,
        11863.283203031446,14107.900792337263,16777.216,19951.58463713749,23726.56640606289,28215.801584674526,
        33554.432,39903.16927427498,47453.13281212578,56431.60316934905,67108.864,79806.33854854996,
        94906.26562425157,112863.2063386981

    }'::float8[])
$$
"""
COUNTED = """
CREATE FUNCTION ledger_counted(counts int[], seconds float8) RETURNS int[]
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    counts[ledger_bucket(seconds) + 1] := counts[ledger_bucket(seconds) + 1] + 1;
    RETURN counts;
END $$
"""
ADDED = """
CREATE FUNCTION ledger_added(counts int[], others int[]) RETURNS int[]
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    place int;
BEGIN
    FOR place IN 1..array_length(others, 1) LOOP
        IF others[place] > 0 THEN
            counts[place] := counts[place] + others[place];
        END IF;
    END LOOP;
    RETURN counts;
END $$
"""
NONE = "{" + ",".join("0" * 109) + "}"
SPREAD = f"""
CREATE AGGREGATE ledger_spread(float8) (SFUNC = ledger_counted, STYPE = int[], INITCOND = '{NONE}');
CREATE AGGREGATE ledger_spread(int[]) (SFUNC = ledger_added, STYPE = int[], INITCOND = '{NONE}')
"""

# A row is written again with each batch of its day: room for that on its page.
ROOM = """
ALTER TABLE ledger_skillday SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE ledger_nodeday SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)
"""

COUNTED_ROWS = "NOT canary AND state IN ('done', 'failed')"
VERIFIED = "NOT canary AND state = 'done' AND verdict = 'verified'"
RAN = "NOT canary AND (state = 'done' OR session_id IS NOT NULL OR retries > 0)"
ADD_UP = f"""
INSERT INTO ledger_skillday (workspace_id, skill, day, ran, ended, verified, unverified, failed,
    stopped, first, first_verified, canaries, retries, dollars, tokens, run_seconds, verify_seconds,
    expected_seconds, quality_sum, quality_count, runs, queues, decisions, last_ran_at,
    last_verified_at)
SELECT workspace_id, skill, (at AT TIME ZONE 'UTC')::date,
    count(*) FILTER (WHERE {RAN}),
    count(*) FILTER (WHERE {COUNTED_ROWS}),
    count(*) FILTER (WHERE {VERIFIED}),
    count(*) FILTER (WHERE NOT canary AND state = 'done' AND verdict <> 'verified'),
    count(*) FILTER (WHERE NOT canary AND state = 'failed'),
    count(*) FILTER (WHERE NOT canary AND state NOT IN ('done', 'failed')),
    count(*) FILTER (WHERE {COUNTED_ROWS} AND retries = 0),
    count(*) FILTER (WHERE {VERIFIED} AND retries = 0),
    count(*) FILTER (WHERE canary),
    coalesce(sum(retries) FILTER (WHERE NOT canary), 0),
    coalesce(sum(dollars) FILTER (WHERE NOT canary), 0),
    coalesce(sum(tokens) FILTER (WHERE NOT canary), 0),
    coalesce(sum(run_seconds) FILTER (WHERE {COUNTED_ROWS}), 0),
    coalesce(sum(verify_seconds) FILTER (WHERE {COUNTED_ROWS}), 0),
    coalesce(sum(expected_seconds) FILTER (WHERE {COUNTED_ROWS}), 0),
    coalesce(sum(quality) FILTER (WHERE {COUNTED_ROWS}), 0),
    count(*) FILTER (WHERE {COUNTED_ROWS} AND quality IS NOT NULL),
    ledger_spread(run_seconds) FILTER (WHERE {COUNTED_ROWS} AND {RAN}),
    ledger_spread(queue_seconds) FILTER (WHERE {COUNTED_ROWS} AND {RAN}),
    ledger_spread(decision_seconds) FILTER (WHERE {COUNTED_ROWS} AND decision_seconds IS NOT NULL),
    max(at) FILTER (WHERE {RAN}),
    max(at) FILTER (WHERE {VERIFIED})
FROM ledger_outcome GROUP BY 1, 2, 3;
INSERT INTO ledger_nodeday (workspace_id, node, day, ended, verified, failed,
    alive_seconds, slot_seconds, busy_seconds)
SELECT workspace_id, node, (at AT TIME ZONE 'UTC')::date,
    count(*) FILTER (WHERE {COUNTED_ROWS}),
    count(*) FILTER (WHERE {VERIFIED}),
    count(*) FILTER (WHERE NOT canary AND state = 'failed'),
    0, 0, 0
FROM ledger_outcome WHERE node <> '' GROUP BY 1, 2, 3
"""

BIG = models.BigIntegerField
SPREADS = django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField())


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_outcomes_by_month")]

    operations = [
        migrations.RunSQL(BUCKET, "DROP FUNCTION ledger_bucket(float8)"),
        migrations.RunSQL(COUNTED, "DROP FUNCTION ledger_counted(int[], float8)"),
        migrations.RunSQL(ADDED, "DROP FUNCTION ledger_added(int[], int[])"),
        migrations.RunSQL(
            SPREAD, "DROP AGGREGATE ledger_spread(float8); DROP AGGREGATE ledger_spread(int[])"
        ),
        migrations.CreateModel(
            name="SkillDay",
            fields=[
                ("workspace_id", models.UUIDField(default=DEFAULT_WORKSPACE, editable=False)),
                ("pk", models.CompositePrimaryKey("workspace_id", "skill", "day", blank=True, editable=False, primary_key=True, serialize=False)),
                ("skill", models.CharField(max_length=200)),
                ("day", models.DateField()),
                ("ran", BIG()),
                ("ended", BIG()),
                ("verified", BIG()),
                ("unverified", BIG()),
                ("failed", BIG()),
                ("stopped", BIG()),
                ("first", BIG()),
                ("first_verified", BIG()),
                ("canaries", BIG()),
                ("retries", BIG()),
                ("dollars", models.DecimalField(decimal_places=6, max_digits=20)),
                ("tokens", BIG()),
                ("run_seconds", models.FloatField()),
                ("verify_seconds", models.FloatField()),
                ("expected_seconds", models.FloatField()),
                ("quality_sum", models.FloatField()),
                ("quality_count", BIG()),
                ("runs", SPREADS),
                ("queues", SPREADS),
                ("decisions", SPREADS),
                ("last_ran_at", models.DateTimeField(null=True)),
                ("last_verified_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["workspace_id", "day"], name="skill_day")],
            },
        ),
        migrations.CreateModel(
            name="NodeDay",
            fields=[
                ("workspace_id", models.UUIDField(default=DEFAULT_WORKSPACE, editable=False)),
                ("pk", models.CompositePrimaryKey("workspace_id", "node", "day", blank=True, editable=False, primary_key=True, serialize=False)),
                ("node", models.CharField(max_length=100)),
                ("day", models.DateField()),
                ("ended", BIG(default=0)),
                ("verified", BIG(default=0)),
                ("failed", BIG(default=0)),
                ("alive_seconds", models.FloatField(default=0)),
                ("slot_seconds", models.FloatField(default=0)),
                ("busy_seconds", models.FloatField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["workspace_id", "day"], name="node_day")],
            },
        ),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(ADD_UP, migrations.RunSQL.noop),
    ]
