"""A map with a node, a skill and a detector, for tests of heartbeats."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from autonomy.systemmap.services import Declared, NodeFacts, register, sync
from heartbeats import services
from heartbeats.models import Tick, Watch
from heartbeats.services import TakenTick
from ledger.models import Event

ARGUMENTS = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
    "additionalProperties": False,
}
PARAMS = {
    "type": "object",
    "properties": {"bound": {"type": "number", "maximum": 100}},
    "additionalProperties": False,
}
CLEAN_UP = Declared(
    "skill",
    "files.clean_up",
    version="1",
    tier=1,
    declaration={
        "arguments": ARGUMENTS,
        "estimate_seconds": 5,
        "retries": {"max_attempts": 3},
        "critical": False,
    },
)
DISK_LOW = Declared(
    "detector",
    "disk_low",
    version="1",
    tier=1,
    declaration={"params": PARAMS, "every_seconds": 300.0, "network": False, "kind": "threshold"},
)
SITE_DOWN = Declared(
    "detector",
    "site_down",
    version="1",
    tier=1,
    declaration={"params": {}, "every_seconds": 60.0, "network": True, "kind": "external"},
)


def node(name: str = "a", *components: Declared) -> None:
    """A live node that has loaded these components, or the three above."""
    register(NodeFacts(name=name, tiers=[1, 2, 3], slots=2))
    sync(components or (CLEAN_UP, DISK_LOW, SITE_DOWN), {}, node=name)


def watch(name: str = "disk", detector: str = "disk_low", **schedule: Any) -> Watch:
    """A watch that looks once a day, unless told otherwise."""
    if not schedule.keys() & {"every", "crontab", "at"}:
        schedule["every"] = 86400
    return services.put_to_work(name, detector, by="person:ann", **schedule)


def now() -> datetime:
    """The database's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def unnoticed_since(watch: Watch, ago: timedelta) -> None:
    """As if nobody had looked at the schedule for so long."""
    Watch.objects.filter(id=watch.id).update(next_due_at=Now() - ago)


def lapse(tick: TakenTick) -> None:
    """As if the node that took it had gone silent until its lease ran out."""
    Tick.objects.filter(id=tick.id).update(lease_until=F("started_at") - timedelta(hours=1))


def due(watch: Watch, ago: timedelta = timedelta(seconds=1)) -> Tick:
    """A tick of the watch that is due."""
    return Tick.objects.create(watch=watch, due_at=now() - ago)


def taken(watch: Watch, node: str = "a") -> TakenTick:
    """A tick of the watch, taken by a node."""
    due(watch)
    [tick] = services.claim_ticks(node, 1)
    return tick


def states(watch: Watch) -> list[str]:
    """The states of its ticks, oldest first."""
    return list(watch.ticks.order_by("due_at").values_list("state", flat=True))


def finding(key: str = "/", **changed: Any) -> dict[str, Any]:
    """A finding that asks for the skill above."""
    return {
        "skill": "files.clean_up",
        "args": {"path": "/"},
        "dedupe_key": key,
        "reason": "91 % full",
    } | changed


def events(type_: str) -> list[dict[str, Any]]:
    """What was recorded under a type, oldest first."""
    return list(Event.objects.filter(type=type_).order_by("id").values_list("payload", flat=True))
