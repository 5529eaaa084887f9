"""Every question that the console, the command line and the API ask of the ledger, by name.

The real functions and the real pages, not copies of their queries.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from autonomy.systemmap import selectors as systemmap
from console.selectors import ledger as lists
from console.selectors import now, system
from ledger import selectors as ledger
from ledger.domain.figures import MOST_DAYS
from ledger.models import Event, Outcome

ID_LENGTH = 36
Ask = Callable[[], object]


def selectors() -> dict[str, Ask]:
    """What selectors answer."""
    outcome = Outcome.objects.order_by("-at")[5000]
    ids = list(Outcome.objects.order_by("-at").values_list("task_id", flat=True)[:50])
    event = Event.objects.order_by("-id")[5000]
    skills = [f"skill.{number:02}" for number in range(40)]
    return {
        "first page": now.now,
        "headline, 7 days": ledger.headline,
        "headline, 30 days": partial(ledger.headline, 30),
        f"headline, {MOST_DAYS} days": partial(ledger.headline, MOST_DAYS),
        "figures of each skill, 30 days": ledger.by_skill,
        f"figures of each skill, {MOST_DAYS} days": partial(ledger.by_skill, MOST_DAYS),
        "today": ledger.today,
        "map with last verified and flags": system.components,
        "shelfware and drift": systemmap.shelfware,
        "nodes": system.nodes,
        "outcomes, newest": lists.outcomes,
        "outcomes of the busiest skill": partial(lists.outcomes, skill="skill.00"),
        "outcomes of a rare skill": partial(lists.outcomes, skill="skill.39"),
        "outcomes of no skill": partial(lists.outcomes, skill="nobody"),
        "outcomes verified": partial(lists.outcomes, verdict="verified"),
        "outcomes refuted": partial(lists.outcomes, verdict="refuted"),
        "outcomes inconclusive": partial(lists.outcomes, verdict="inconclusive"),
        "outcomes of no verdict": partial(lists.outcomes, verdict="nonsense"),
        "outcomes inconclusive of a rare skill": partial(
            lists.outcomes, skill="skill.39", verdict="inconclusive"
        ),
        "outcomes verified of a rare skill": partial(
            lists.outcomes, skill="skill.39", verdict="verified"
        ),
        "outcome of one task": partial(ledger.outcomes_of, [outcome.task_id]),
        "outcomes of 50 tasks": partial(ledger.outcomes_of, ids),
        "estimates of all skills": partial(ledger.estimates, skills),
        "events, newest": lists.events,
        "events of one task": partial(lists.events, stream="task", stream_id=event.stream_id),
        "events of a frequent type": partial(lists.events, type_="task_done"),
        "events of a rare type": partial(lists.events, type_="component_paused"),
        "events of no type": partial(lists.events, type_="nonsense"),
        "events of a rare stream": partial(lists.events, stream="component"),
        "seal status": lists.sealing,
        "chain status": ledger.chain_status,
    }


def pages() -> dict[str, Ask]:
    """Pages of the admin, whole: asked for over its address, rendered."""
    desk = Client()
    root, _ = User.objects.get_or_create(
        username="root", defaults={"is_staff": True, "is_superuser": True}
    )
    desk.force_login(root)
    outcome = Outcome.objects.order_by("-at")[5000]
    event = Event.objects.order_by("-id")[5000]
    narrowed = {
        "ledger_outcome": ["", "how=verified", "how=failed", "how=expired", "how=rejected",
                           "node=node-07", "tier=3", "canary__exact=1", "q=skill.39", "q=nobody",
                           f"q={outcome.task_id}", "how=rejected&tier=3", "how=rejected&q=skill.39",
                           "node=node-07&how=unverified&tier=3", "p=20"],
        "ledger_event": ["", "stream=task", "stream=component", "q=component_paused",
                         "q=task_done", "q=nonsense", f"q={event.stream_id}", "p=20"],
        "ledger_block": [""],
        "ledger_nodescore": [""],
        "ledger_skillestimate": [""],
        "systemmap_component": [""],
    }  # fmt: skip
    wanted = {"page: first": reverse("admin:index")}
    for model, queries in narrowed.items():
        address = reverse(f"admin:{model}_changelist")
        name = model.partition("_")[2]
        wanted |= {
            f"page: {name}s {_shortened(query)}".strip(): f"{address}?{query}" for query in queries
        }
    wanted["page: one outcome"] = reverse("admin:ledger_outcome_change", args=[outcome.pk])
    wanted["page: one event"] = reverse("admin:ledger_event_change", args=[event.pk])
    return {name: partial(_opened, desk, address) for name, address in wanted.items()}


def _shortened(query: str) -> str:
    """What is asked for, with an id as that."""
    name, _, value = query.partition("=")
    return f"{name}=(id)" if len(value) == ID_LENGTH else query


def _opened(desk: Client, address: str) -> Any:
    answer = desk.get(address)
    if answer.status_code != 200:
        raise AssertionError(f"{address} answered {answer.status_code}")
    return answer
