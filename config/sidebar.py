"""What stands in the sidebar of the admin."""

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
        ("Findings", "search", "heartbeats.noticed"),
        ("Schedules", "event_repeat", "django_celery_beat.periodictask"),
    ],
    "Decisions": [
        ("Autonomy level", "speed", "firewall.dial"),
        ("Passes", "account_tree", "engine.pass"),
        ("Predictions", "online_prediction", "engine.prediction"),
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
    found = [
        {"title": heading, "separator": True, "items": i} for heading, i in groups.items() if i
    ]
    now = {"title": "Now", "icon": "home", "link": reverse("admin:index")}
    return [{"items": [now]}, *found]


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": address}


def _may_see(request: HttpRequest, model: str) -> bool:
    app, _, name = model.partition(".")
    return request.user.has_perm(f"{app}.view_{name}")
