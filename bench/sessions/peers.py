"""Plain Celery on the same broker: tasks that do nothing, kept nowhere."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from celery import Celery
from redis import Redis

from bench.sessions.arms import Round
from bench.usage import cpu_seconds

BROKER = "BENCH_BROKER"

_SHELF, _DONE = "bench.shelf", "bench.done"
_PATIENCE_SECONDS = 120

app = Celery("peers", broker=os.environ.get(BROKER, "redis://127.0.0.1:1/0"))
app.conf.update(
    task_ignore_result=True,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@app.task(name="bench.nothing")
def nothing() -> None:
    """Do nothing."""


@app.task(name="bench.done")
def done() -> None:
    """Say that everything before this has been begun."""
    with Redis.from_url(os.environ[BROKER]) as redis:
        redis.rpush(_DONE, "done")


class Workers:
    """A Celery worker of two processes that drains a queue."""

    def __init__(self, name: str, share: float, broker: str, queue: str, worker: int) -> None:
        self.name = name
        self.share = share
        self._queue = queue
        self._redis = Redis.from_url(broker, socket_timeout=2 * _PATIENCE_SECONDS)
        self._worker = worker
        self._server = int(self._redis.info("server")["process_id"])

    def run(self, tasks: int) -> Round:
        """Put so many on a shelf, hand them over at once, and wait until they are drained.

        What it costs to send them is not counted.
        """
        for _ in range(tasks - 1):
            app.send_task("bench.nothing", queue=_SHELF)
        app.send_task("bench.done", queue=_SHELF)
        pids = [self._worker, self._server]
        before, began = cpu_seconds(pids), time.monotonic()
        self._hand_over()
        seconds = time.monotonic() - began
        return Round(tasks, seconds, cpu_seconds(pids) - before)

    def _hand_over(self) -> None:
        """All at once; wait for the last one."""
        self._redis.rename(_SHELF, self._queue)
        if self._redis.blpop([_DONE], timeout=_PATIENCE_SECONDS) is None:
            raise RuntimeError(f"{self.name} did not drain its queue")


@contextmanager
def workers(name: str, share: float, broker: str, *options: str) -> Iterator[Workers]:
    """A worker, once it has drained a first few."""
    os.environ[BROKER] = broker
    app.conf.update(broker_url=broker)
    queue = f"bench.{uuid4().hex}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "bench.sessions.peers", "worker"),
            *("-P", "prefork", "-c", "2", "-Q", queue, "-l", "error", *options),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        env=os.environ | {BROKER: broker},
        stdout=subprocess.DEVNULL,
    )
    try:
        arm = Workers(name, share, broker, queue, process.pid)
        arm.run(4)
        yield arm
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)
