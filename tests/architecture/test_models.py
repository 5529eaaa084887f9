"""Every row that belongs to someone says to which workspace, from its first migration."""

from collections.abc import Iterator

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel

OURS = {"autonomy", "connectors", "console", "firewall", "heartbeats", "ledger"}
# Rows of the platform itself, with the reason why they belong to nobody.
OF_NOBODY = {
    "console.Fingerprint": "which secrets this installation was set up with",
    "firewall.Dial": "the one row that says how much of the whole platform may run alone",
    "tasks.QualityBar": "the one bar of the platform for what a result must be worth",
    "engine.Trust": "how far the one world model of all workspaces can be relied on",
    "engine.Leadership": "the one lease of the process that decides for all workspaces",
}


def _created() -> Iterator[tuple[str, CreateModel]]:
    """Every model that one of our migrations creates."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for (app, _), migration in sorted(loader.disk_migrations.items()):
        if type(migration).__module__.partition(".")[0] in OURS:
            for operation in migration.operations:
                if isinstance(operation, CreateModel):
                    yield f"{app}.{operation.name}", operation


CREATED = dict(_created())


def test_the_models_are_found() -> None:
    assert {"tasks.Task", "ledger.Event", "firewall.Approval"} <= CREATED.keys()


@pytest.mark.parametrize("name", sorted(CREATED.keys() - OF_NOBODY.keys()))
def test_a_model_is_created_with_its_workspace(name: str) -> None:
    model = CREATED[name]

    assert "workspace_id" in dict(model.fields) or model.options.get("managed") is False


def test_what_belongs_to_nobody_still_exists() -> None:
    assert OF_NOBODY.keys() <= CREATED.keys()
