"""What the engine does between passes: checks its predictions, and lowers itself (D-18, D-19)."""

from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from autonomy.domain.predictions import ALIVE_SECONDS, QUEUE_SECONDS, Prediction, of_node, of_queue
from autonomy.domain.priority import MILLION
from autonomy.domain.trust import Rules, moved
from autonomy.engine.selectors.gauge import Weighed, weighed
from autonomy.engine.services.predicting import check_due, make
from firewall import services as firewall

MOST_BATCHES = 10
MOST_NODES = 20
"""About so many nodes something is predicted at a time; they take turns by name."""

# Waiting tasks, the time, and the nodes that live: what the predictions about them start from.
_NOW = """
SELECT (SELECT count(*) FROM tasks_task t WHERE t.state IN ('ready', 'preflight')
          AND t.node = '' AND t.run_at <= statement_timestamp()),
       (extract(epoch FROM now()) * 1000000)::bigint,
       ARRAY(SELECT n.incarnation || ' ' || n.name FROM systemmap_node n
             WHERE n.incarnation IS NOT NULL AND n.seen_at > now() - interval '15 s'
             ORDER BY md5(n.name || date_trunc('hour', now())::text) LIMIT %s)
"""
_SEEN = "UPDATE engine_trust SET observed_at = now() WHERE id = 1"
_EARNED = "UPDATE engine_trust SET earned_since = %s WHERE id = 1"


@dataclass
class Mind:
    """What the engine remembers between its thoughts; lives as long as it leads."""

    waiting: int | None = None  # when it was last counted
    counted_at: int = 0
    nodes_due: int = 0
    known: Weighed | None = None

    @property
    def context(self) -> dict[str, int]:
        """What of it is kept with a pass (D-20)."""
        if self.known is None:
            return {}
        gauge = self.known.gauge
        return {"confidence": gauge.confidence, "failed": gauge.failed}

    def think(self, rules: Rules, *, observed: bool) -> None:
        """Check what is due, predict what follows, and take the level that all this allows."""
        for _ in range(MOST_BATCHES):
            if not check_due(rules):
                break
        self.predict()
        self.known = weigh(rules, observed=observed)

    def predict(self) -> None:
        """Say how many tasks will wait, and which nodes will live; each every so often."""
        with connection.cursor() as cursor:
            cursor.execute(_NOW, [MOST_NODES])
            waiting, now, alive = cursor.fetchone()
        make([*self._of_queue(waiting, now), *self._of_nodes(alive, now)])

    def _of_queue(self, waiting: int, now: int) -> list[Prediction]:
        passed = (now - self.counted_at) / MILLION
        if self.waiting is not None and 0 <= passed < QUEUE_SECONDS:
            return []
        before, self.waiting, self.counted_at = self.waiting, waiting, now
        if before is None or not 0 < passed < 3 * QUEUE_SECONDS:
            return []  # nothing is known of the last minute
        return [of_queue(waiting, (waiting - before) / passed, now)]

    def _of_nodes(self, alive: list[str], now: int) -> list[Prediction]:
        if 0 <= self.nodes_due - now <= ALIVE_SECONDS * MILLION:
            return []
        self.nodes_due = now + ALIVE_SECONDS * MILLION
        named = (node.partition(" ") for node in alive)
        return [of_node(name, incarnation, now) for incarnation, _, name in named]


@transaction.atomic
def weigh(rules: Rules, *, observed: bool) -> Weighed:
    """Take the level that the evidence allows; `observed` says that the world was seen whole."""
    found = weighed()
    if observed:
        found = replace(found, gauge=replace(found.gauge, stale_seconds=0.0))
        _execute(_SEEN)
    move = moved(found.standing, found.gauge, found.now, rules)
    if move.standing.earned_since != found.standing.earned_since:
        _execute(_EARNED, [move.standing.earned_since])
    if not found.noticed:
        firewall.notice_turn()
    if move.standing.level is not found.standing.level:
        firewall.choose(move.standing.level, reason=move.reason, evidence=found.evidence(rules))
    return replace(found, standing=move.standing)


def _execute(statement: str, parameters: Any = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
