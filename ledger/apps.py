from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connection
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        """After each migration, and so after each restore: what only the owner may say."""
        post_migrate.connect(_advance_clock, sender=self)
        post_migrate.connect(_bring_up_to_date, sender=self)


def _advance_clock(**_: Any) -> None:
    from ledger.services.clock import advance  # noqa: PLC0415 -- models are not loaded before ready()

    if "ledger_event" in connection.introspection.table_names():
        advance()


def _bring_up_to_date(**_: Any) -> None:
    from ledger.services import months, outcomes  # noqa: PLC0415 -- as above

    if "ledger_skillday" in connection.introspection.table_names():
        outcomes.install()
        months.keep_months(settings.AUTONOMY_OUTCOME_MONTHS)
