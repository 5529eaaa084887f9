"""Every setting is in the table of settings."""

import re

from console.host.home import CHECKOUT

READ = re.compile(
    r"(?:environment\.(?:text|words|number|switch)|setting|environ\.get)"
    r"\(\s*(?:\w+, )?\"([A-Z_]+)\""
)
NOT_OURS = {"COLUMNS", "XDG_DATA_HOME", "DJANGO_SETTINGS_MODULE"}
BETWEEN_PROCESSES = {"AUTONOMY_OPERATOR_PASSWORD", "AUTONOMY_OPERATOR_TOKEN", "AUTONOMY_LOADED"}


def test_every_setting_that_is_read_is_in_the_table() -> None:
    read = {
        name
        for app in ("config", "console", "heartbeats", "autonomy", "connectors", "firewall")
        for file in (CHECKOUT / app).rglob("*.py")
        for name in READ.findall(file.read_text())
    }

    page = (CHECKOUT / "docs" / "settings.md").read_text()

    assert len(read) > 15
    assert {
        name for name in read - NOT_OURS - BETWEEN_PROCESSES if f"`{name}`" not in page
    } == set()
