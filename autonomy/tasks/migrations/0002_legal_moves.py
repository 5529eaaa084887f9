"""The table of legal moves as a trigger: no code path can take a task out of a terminal state (C-3)."""

from django.db import migrations

from autonomy.domain.states import MOVES

_RULES = "\n".join(
    f"        WHEN '{old}' THEN ARRAY[{', '.join(repr(str(new)) for new in sorted(reachable))}]::text[]"
    for old, reachable in MOVES.items()
)

_CREATE = f"""
CREATE FUNCTION tasks_legal_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed text[] := CASE OLD.state
{_RULES}
    END;
BEGIN
    IF NOT NEW.state = ANY(allowed) THEN
        RAISE EXCEPTION 'task % may not move from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tasks_legal_move BEFORE UPDATE OF state ON tasks_task
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tasks_legal_move();
"""

_DROP = "DROP TRIGGER tasks_legal_move ON tasks_task; DROP FUNCTION tasks_legal_move();"


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial")]

    operations = [migrations.RunSQL(_CREATE, _DROP)]
