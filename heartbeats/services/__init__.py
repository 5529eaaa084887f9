"""Every write of heartbeats: watches put to work, due times noticed, ticks taken and ended."""

from heartbeats.services.looking import (
    Looked,
    TakenTick,
    TickLost,
    claim_ticks,
    fail,
    finish,
    finish_quiet,
    release,
)
from heartbeats.services.lookout import Lookout, Looks, Swept, sweep
from heartbeats.services.noticing import notice
from heartbeats.services.putting import (
    UnknownWatch,
    WatchRefused,
    When,
    checked,
    put_to_work,
    take_off,
)
from heartbeats.services.retention import forget_ticks
from heartbeats.services.switching import disable, enable, look_now

__all__ = [
    "Looked",
    "Lookout",
    "Looks",
    "Swept",
    "TakenTick",
    "TickLost",
    "UnknownWatch",
    "WatchRefused",
    "When",
    "checked",
    "claim_ticks",
    "disable",
    "enable",
    "fail",
    "finish",
    "finish_quiet",
    "forget_ticks",
    "look_now",
    "notice",
    "put_to_work",
    "release",
    "sweep",
    "take_off",
]
