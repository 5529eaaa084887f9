from typing import Any

from django.apps import AppConfig, apps
from django.db import connection
from django.db.models.signals import post_migrate


class FirewallConfig(AppConfig):
    name = "firewall"

    def ready(self) -> None:
        """The shipped groups and the dial are there after each migration."""
        post_migrate.connect(_ensure_groups)
        post_migrate.connect(_ensure_dial, sender=self)


def _ensure_groups(app_config: AppConfig, **_: Any) -> None:
    """After the last app: until then some permissions are not made yet."""
    from firewall.services.groups import ensure_groups  # noqa: PLC0415 -- models are not loaded before

    with_models = [config for config in apps.get_app_configs() if config.models_module]
    made = "auth_group_permissions" in connection.introspection.table_names()
    if app_config == with_models[-1] and made:
        ensure_groups()


def _ensure_dial(**_: Any) -> None:
    from firewall.services.dial import ensure_dial  # noqa: PLC0415 -- models are not loaded before

    if "firewall_dial" in connection.introspection.table_names():
        ensure_dial()
