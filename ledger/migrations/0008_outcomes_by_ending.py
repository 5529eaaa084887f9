"""Two small indexes for what did not end well, each answering one question in the order of time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_bodies")]

    operations = [
        migrations.RemoveIndex("outcome", "outcome_unproven"),
        migrations.AddIndex(
            "outcome",
            models.Index(
                fields=["verdict", "-at"],
                condition=~models.Q(verdict="verified"),
                name="outcome_verdict",
            ),
        ),
        migrations.AddIndex(
            "outcome",
            models.Index(
                fields=["state", "-at"], condition=~models.Q(state="done"), name="outcome_state"
            ),
        ),
    ]
