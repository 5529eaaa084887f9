"""What a node tells of the machine it is on, to those who are cut off from it."""

from datetime import UTC, datetime
from typing import Any

import psutil

from autonomy.node.services.calls import CallRefused
from autonomy.sessions.events import Call
from autonomy.sessions.orders import Order, Purpose

LARGEST_PID = 2**22


def told(order: Order, call: Call) -> dict[str, Any] | None:
    """What a verifier asks of this machine; raises CallRefused."""
    pid = call.params.get("pid")
    if call.name != "process" or order.purpose is not Purpose.VERIFY:
        raise CallRefused(f"a look of purpose {order.purpose} cannot ask for {call.name!r}")
    if not isinstance(pid, int) or not 0 < pid <= LARGEST_PID:
        raise CallRefused(f"a process has a number from 1 to {LARGEST_PID}")
    return process(pid)


def process(pid: int) -> dict[str, Any] | None:
    """The name, state and age of a process, if there is one; nothing of its arguments or files."""
    try:
        found = psutil.Process(pid)
        with found.oneshot():
            return {
                "pid": pid,
                "name": found.name(),
                "status": found.status(),
                "started_at": datetime.fromtimestamp(found.create_time(), UTC).isoformat(),
            }
    except psutil.NoSuchProcess:
        return None
    except psutil.Error as error:
        raise CallRefused(f"process {pid} cannot be looked at: {error}") from None
