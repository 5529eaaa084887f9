"""The admin's face: its name, its colours, and what stands in its sidebar."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

PAGES = {
    "Work": [
        ("Approvals", "gavel", "firewall.approval"),
        ("Tasks", "task_alt", "tasks.task"),
        ("Sessions", "terminal", "tasks.session"),
        ("Artifacts", "draft", "tasks.artifact"),
    ],
    "System map": [
        ("Components", "widgets", "systemmap.component"),
        ("Nodes", "dns", "systemmap.node"),
        ("Watches", "visibility", "heartbeats.watch"),
        ("Ticks", "schedule", "heartbeats.tick"),
    ],
    "Decisions": [
        ("Passes", "account_tree", "engine.pass"),
        ("Weights", "balance", "engine.weights"),
        ("Leadership", "flag", "engine.leadership"),
    ],
    "Ledger": [
        ("Outcomes", "fact_check", "ledger.outcome"),
        ("Events", "receipt_long", "ledger.event"),
        ("Blocks", "link", "ledger.block"),
        ("Node scores", "leaderboard", "ledger.nodescore"),
    ],
    "People": [
        ("Accounts", "person", "auth.user"),
        ("Groups", "group", "auth.group"),
        ("Tokens", "key", "console.token"),
    ],
}
"""The sidebar: title, icon and model of each page, by heading."""


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages this person may see."""
    shown = {model._meta.label_lower for model in admin.site._registry}
    groups = {
        heading: [_item(*page) for page in pages if page[2] in shown and _may_see(request, page[2])]
        for heading, pages in PAGES.items()
    }
    return [
        {"title": heading, "separator": True, "items": items}
        for heading, items in groups.items()
        if items
    ]


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": address}


def _may_see(request: HttpRequest, model: str) -> bool:
    app, _, name = model.partition(".")
    return request.user.has_perm(f"{app}.view_{name}")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Autonomy",
    "SITE_HEADER": "Autonomy",
    "SITE_SUBHEADER": "what runs, what waits, what happened",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 195)",
            "100": "oklch(94% .04 195)",
            "200": "oklch(88% .07 195)",
            "300": "oklch(80% .10 195)",
            "400": "oklch(70% .11 197)",
            "500": "oklch(60% .10 199)",
            "600": "oklch(51% .09 201)",
            "700": "oklch(43% .08 203)",
            "800": "oklch(36% .06 205)",
            "900": "oklch(31% .05 207)",
            "950": "oklch(22% .04 209)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.admin.sidebar",
    },
}
