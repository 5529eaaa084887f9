"""The first page of the admin: what waits for a person, what runs, how things ended."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from autonomy.tasks.admin.shown import COLOURS, Html, ago, badge, grid, link, short
from console.selectors.level import LevelLine, level_line
from console.selectors.now import NowLine, now
from firewall.domain.levels import Level
from firewall.models import Dial
from firewall.selectors import level


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the page for this person."""
    if not request.user.has_perm("tasks.view_task"):
        return {**context, "tiles": [], "panels": [("Nothing", "You may not see tasks.")]}
    told = now()
    panels = [
        ("Autonomy", _autonomy(request)),
        ("Waits for a person", _waiting(told)),
        ("Runs now", _running(told)),
        (f"Figures of the last {told.figures_days} days", _figures(told)),
        ("Ended lately", _ended(told)),
        ("Nodes", _nodes(told)),
    ]
    return {**context, "title": "Now", "tiles": _tiles(told), "panels": panels}


def _tiles(told: NowLine) -> list[tuple[str, object, str]]:
    tasks, outcomes = _list("tasks_task"), _list("ledger_outcome")
    alive = f"{told.nodes_alive} of {len(told.nodes)}"
    return [
        ("wait for you", told.waiting_in_all, _list("firewall_approval")),
        ("run now", len(told.running), f"{tasks}?standing=live"),
        ("verified today", told.today.verified, f"{outcomes}?how=verified"),
        ("failed today", told.today.failed, f"{outcomes}?how=failed"),
        ("nodes alive", alive, _list("systemmap_node")),
        ("events sealed", told.sealing.events, _list("ledger_block")),
    ]


def level_label(_request: HttpRequest) -> tuple[str, str]:
    """The level in force, for the head of every page."""
    found = level()
    return f"autonomy: {found}", COLOURS.get(found, "default")


_STOP = ("stop", "firewall.stop", "Stop everything", "shown-stop")
_RESUME = ("resume", "firewall.administer", "Resume", "shown-link")
_CEILING = ("set_ceiling", "firewall.administer", "Set the ceiling", "shown-link")


def _autonomy(request: HttpRequest) -> Html:
    """What may run alone, who says so, and the ways to change it: each asks before it acts."""
    line = level_line()
    ceiling = line.ceiling + (f", set by {line.ceiling_by}" if line.ceiling_by else "")
    evidence = f"{line.chosen}: {line.chosen_reason or 'nothing speaks against it'}"
    ways = format_html_join(
        "",
        '<a class="{}" href="{}">{}</a>',
        (
            (look, reverse(f"admin:firewall_dial_{name}", args=[Dial.ONLY]), words)
            for name, permission, words, look in _ways(line)
            if request.user.has_perm(permission)
        ),
    )
    change = format_html('<span class="shown-ways">{}</span>', ways)
    rows = [[badge(line.level), line.words, ceiling, evidence, change]]
    return grid(["level", "it means", "ceiling", "evidence", "change it"], rows, empty="")


def _ways(line: LevelLine) -> list[tuple[str, str, str, str]]:
    """What was stopped can be resumed; anything else can be stopped."""
    return [_RESUME if line.ceiling == Level.OFF else _STOP, _CEILING]


def _waiting(told: NowLine) -> Html:
    rows = (
        [link(asked, asked.skill), asked.summary, asked.tier, asked.requested_by,
         ago(asked.created_at)]
        for asked in told.waiting
    )  # fmt: skip
    headers = ["skill", "what", "tier", "asked by", "since"]
    return grid(headers, rows, empty="Nothing waits for you.")


def _running(told: NowLine) -> Html:
    rows = (
        [_task(line.id, line.skill), badge(line.state), line.node, ago(line.started_at)]
        for line in told.running
    )
    empty = "Nothing runs. Ask for something with `autonomy submit SKILL`."
    return grid(["task", "state", "node", "since"], rows, empty=empty)


def _figures(told: NowLine) -> Html:
    form = '<div><dt>{}</dt><dd><b class="text-important">{}</b><small>{}</small></dd></div>'
    each = format_html_join("", form, ((f.label, f.value, f.words) for f in told.figures))
    return format_html('<dl class="shown-figures">{}</dl>', each)


def _ended(told: NowLine) -> Html:
    rows = (
        [_task(line.task_id, line.skill), badge(line.state), badge(line.verdict), line.node,
         f"{line.run_seconds:.1f}", ago(line.at), line.reason[:120]]
        for line in told.ended
    )  # fmt: skip
    headers = ["task", "state", "verdict", "node", "seconds", "when", "reason"]
    return grid(headers, rows, empty="Nothing has ended yet.")


def _nodes(told: NowLine) -> Html:
    rows = (
        [node.name, badge("alive" if node.alive else "silent"), f"{node.busy} of {node.slots}",
         ", ".join(map(str, node.tiers)), ago(node.seen_at)]
        for node in told.nodes
    )  # fmt: skip
    headers = ["node", "state", "slots in use", "tiers", "seen"]
    return grid(headers, rows, empty="No node has joined. `autonomy up` starts some.")


def _task(id_: object, skill: str) -> SafeString:
    address = reverse("admin:tasks_task_change", args=[id_])
    return format_html('<a class="shown-link" href="{}">{}</a> {}', address, skill, short(str(id_)))


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")
