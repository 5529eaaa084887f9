from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        """After each migration, and so after each restore, the clock is ahead of every row."""
        post_migrate.connect(_advance_clock, sender=self)


def _advance_clock(**_: Any) -> None:
    from ledger.services.clock import advance  # noqa: PLC0415 -- models are not loaded before ready()

    if "ledger_event" in connection.introspection.table_names():
        advance()
