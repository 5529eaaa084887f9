"""Reading watches: what their schedules say, which are due, how they are doing."""

from heartbeats.selectors.schedules import Plan, UnusableSchedule, plan_of
from heartbeats.selectors.watches import Waiting, due_watches, overview, waiting

__all__ = [
    "Plan",
    "UnusableSchedule",
    "Waiting",
    "due_watches",
    "overview",
    "plan_of",
    "waiting",
]
