"""Watches in the admin: set up, switched, and what their ticks found."""

from heartbeats.admin.schedules import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    IntervalScheduleAdmin,
    PeriodicTaskAdmin,
)
from heartbeats.admin.ticks import NoticedAdmin, TickAdmin
from heartbeats.admin.watches import WatchAdmin

__all__ = [
    "ClockedScheduleAdmin",
    "CrontabScheduleAdmin",
    "IntervalScheduleAdmin",
    "NoticedAdmin",
    "PeriodicTaskAdmin",
    "TickAdmin",
    "WatchAdmin",
]
