"""The second wall around what a person was asked and answered: neither can be changed afterwards."""

from django.db import migrations

ASKED = ["task_id", "skill", "tier", "action", "action_digest", "requested_by", "expires_at"]
CHANGED = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ASKED)

# Legal: pending becomes anything; approved becomes void, and keeps who granted it.
REFUSE = f"""
CREATE FUNCTION firewall_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR {CHANGED} THEN
        RAISE EXCEPTION 'what a person was asked cannot be changed or removed'
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.decision <> 'pending' AND (
        (OLD.decision <> NEW.decision AND NOT (OLD.decision = 'approved' AND NEW.decision = 'void'))
        OR OLD.decided_by_id IS DISTINCT FROM NEW.decided_by_id
        OR OLD.decided_at IS DISTINCT FROM NEW.decided_at
        OR OLD.comment IS DISTINCT FROM NEW.comment
    ) THEN
        RAISE EXCEPTION 'what a person answered cannot be changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

TRIGGER = """
CREATE TRIGGER firewall_approval_decided_once BEFORE UPDATE OR DELETE ON firewall_approval
    FOR EACH ROW EXECUTE FUNCTION firewall_refuse()
"""


class Migration(migrations.Migration):
    dependencies = [("firewall", "0002_solo_mode")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION firewall_refuse()"),
        migrations.RunSQL(
            TRIGGER, "DROP TRIGGER firewall_approval_decided_once ON firewall_approval"
        ),
    ]
