"""A looker: a process that looks again and again, with a connection of its own (E-2, E-5).

It runs detectors, and the queries of verifiers, which have no connection themselves. It was cut off
before it saw the first of them, and ends with its connection.
"""

import base64
import itertools
import pickle
import resource
import signal
import time
from typing import Any

from autonomy.domain.states import ErrorClass
from autonomy.sessions import purposes, sandbox
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.loading import component_named
from autonomy.sessions.looks import NoDatabase, Reader
from autonomy.sessions.orders import End, Order
from autonomy.sessions.outcome import outcome
from autonomy.sessions.sandbox import Bounds
from autonomy.sessions.supervised import Supervised
from autonomy.sessions.wire import Message

_LARGEST_ROWS = 8_000_000
_MOST_LOOKS = 10_000


def serve(envelope: Envelope, bounds: Bounds, supervisor: Supervised) -> None:
    """Look whenever asked, until the supervisor hangs up."""
    sandbox.enter(envelope, bounds)
    url = supervisor.order()["database_url"]
    try:
        database = Reader(url) if url else NoDatabase()
    except Exception as error:  # noqa: BLE001 -- whatever the driver raises, there is no database
        supervisor.report(_away(error))
        return
    sandbox.close(envelope, bounds, kept=(supervisor.fileno(), *database.descriptors))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    supervisor.tell({"ready": True})
    for looks in itertools.count(1):
        asked = supervisor.asked()
        answer = _rows(asked, database) if "query" in asked else _look(asked, database)
        last = database.gone or looks >= _MOST_LOOKS or _is_large(envelope)
        supervisor.tell({"answer": answer, "last": last})
        if last:
            return


def _is_large(envelope: Envelope) -> bool:
    """Whether looks have left so much in memory that the next one might be blamed for it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return peak > envelope.limits.memory_bytes // 2


def _look(asked: Message, database: Reader | NoDatabase) -> Message:
    """What a detector finds; that the database went away is not its fault."""
    order = Order.model_validate(asked["look"])
    began = time.process_time()

    def look() -> dict[str, Any]:
        component = component_named("detector", order.component, order.version)
        return {"findings": purposes.detect(order, component, database.query)}

    report = outcome(look, largest=order.limits.result_bytes)
    if database.gone:
        report = _away(report.get("error", ""))
    return {"report": {**report, "cpu_seconds": time.process_time() - began}}


def _rows(asked: Message, database: Reader | NoDatabase) -> Message:
    """The rows of a query, in a form that keeps their types; only sessions read it."""
    try:
        rows = pickle.dumps(database.query(asked["query"]["sql"], asked["query"]["params"]))
    except Exception as error:  # noqa: BLE001 -- the verifier that asked has to hear it
        return {"error": f"{type(error).__name__}: {error}"}
    if len(rows) > _LARGEST_ROWS:
        return {"error": f"the rows have {len(rows)} bytes; {_LARGEST_ROWS} are allowed"}
    return {"rows": base64.b64encode(rows).decode()}


def _away(error: object) -> Message:
    return {
        "ended": End.LOST,
        "error_class": ErrorClass.TRANSIENT,
        "error": f"the database cannot be reached: {error}",
    }
