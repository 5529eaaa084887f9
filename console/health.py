"""Whether this process lives, and whether it can serve: in words, without secrets (U-7)."""

from dataclasses import asdict, dataclass

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_SECONDS = 1.0


@dataclass(frozen=True)
class Condition:
    """One thing readiness rests on; without a vital one nothing can be served."""

    name: str
    ok: bool
    words: str
    vital: bool = True


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """This process answers. Says nothing about anything else."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """503 with the reason while nothing can be served; `degraded` while work is only slowed."""
    conditions = [check() for check in (_database, _migrations, _redis)]
    failed = [condition for condition in conditions if not condition.ok]
    lost = any(condition.vital for condition in failed)
    status = "not ready" if lost else "degraded" if failed else "ready"
    shown = [asdict(condition) for condition in conditions]
    return JsonResponse({"status": status, "conditions": shown}, status=503 if lost else 200)


def _database() -> Condition:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Condition("database", ok=False, words="PostgreSQL cannot be reached: is it running?")
    return Condition("database", ok=True, words="PostgreSQL answers")


def _migrations() -> Condition:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return Condition("migrations", ok=False, words="unknown while PostgreSQL is away")
    if missing:
        words = (
            f"{len(missing)} migrations are not applied: run `autonomy up` or `manage.py migrate`"
        )
        return Condition("migrations", ok=False, words=words)
    return Condition("migrations", ok=True, words="all applied")


def _redis() -> Condition:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        retry=None,
    )
    try:
        client.ping()
    except (redis.RedisError, OSError):
        words = "Redis cannot be reached: nothing is lost, but work starts seconds later"
        return Condition("redis", ok=False, words=words, vital=False)
    finally:
        client.close()
    return Condition("redis", ok=True, words="Redis answers", vital=False)
