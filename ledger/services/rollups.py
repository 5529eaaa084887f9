"""Adding outcomes up per day, by skill and by node (C-25).

The sums are added in the statement that stores the outcomes, so that they never differ. Rows are
taken in the order of their keys, so that no two batches wait for each other.
"""

# Canaries are ours, and what people stopped says nothing of how well the platform works.
_COUNTED = "NOT canary AND state IN ('done', 'failed')"
_VERIFIED = "NOT canary AND state = 'done' AND verdict = 'verified'"
_RAN = "NOT canary AND (state = 'done' OR session_id IS NOT NULL OR retries > 0)"
_DAY = "(at AT TIME ZONE 'UTC')::date"


def _count(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


def _sum(column: str, condition: str) -> str:
    return f"coalesce(sum({column}) FILTER (WHERE {condition}), 0)"


def _spread(column: str, condition: str) -> str:
    return f"ledger_spread({column}) FILTER (WHERE {condition})"


SKILL_SUMS = {
    "ran": _count(_RAN),
    "ended": _count(_COUNTED),
    "verified": _count(_VERIFIED),
    "unverified": _count("NOT canary AND state = 'done' AND verdict <> 'verified'"),
    "failed": _count("NOT canary AND state = 'failed'"),
    "stopped": _count("NOT canary AND state NOT IN ('done', 'failed')"),
    "first": _count(f"{_COUNTED} AND retries = 0"),
    "first_verified": _count(f"{_VERIFIED} AND retries = 0"),
    "canaries": _count("canary"),
    "retries": _sum("retries", "NOT canary"),
    "dollars": _sum("dollars", "NOT canary"),
    "tokens": _sum("tokens", "NOT canary"),
    "run_seconds": _sum("run_seconds", _COUNTED),
    "verify_seconds": _sum("verify_seconds", _COUNTED),
    "expected_seconds": _sum("expected_seconds", _COUNTED),
    "quality_sum": _sum("quality", _COUNTED),
    "quality_count": _count(f"{_COUNTED} AND quality IS NOT NULL"),
    "runs": _spread("run_seconds", f"{_COUNTED} AND {_RAN}"),
    "queues": _spread("queue_seconds", f"{_COUNTED} AND {_RAN}"),
    "decisions": _spread("decision_seconds", f"{_COUNTED} AND decision_seconds IS NOT NULL"),
    "last_ran_at": f"max(at) FILTER (WHERE {_RAN})",
    "last_verified_at": f"max(at) FILTER (WHERE {_VERIFIED})",
}
NODE_SUMS = {
    "ended": _count(_COUNTED),
    "verified": _count(_VERIFIED),
    "failed": _count("NOT canary AND state = 'failed'"),
}
_SPREADS = {"runs", "queues", "decisions"}
_LATEST = {"last_ran_at", "last_verified_at"}


def skill_days(source: str) -> str:
    """A query for the rows of SkillDay that the outcomes of that source add up to."""
    return _sums(source, "skill", SKILL_SUMS, "true")


def node_days(source: str) -> str:
    """A query for the counts of NodeDay that the outcomes of that source add up to."""
    return _sums(source, "node", NODE_SUMS, "node <> ''")


def added_skill_days(source: str) -> str:
    """A statement that adds the outcomes of that source to SkillDay."""
    return _adding("ledger_skillday", "skill", SKILL_SUMS, skill_days(source), {})


def added_node_days(source: str) -> str:
    """A statement that adds the outcomes of that source to NodeDay."""
    never = {"alive_seconds": "0", "slot_seconds": "0", "busy_seconds": "0"}
    return _adding("ledger_nodeday", "node", NODE_SUMS, node_days(source), never)


def _sums(source: str, of: str, sums: dict[str, str], condition: str) -> str:
    columns = ", ".join(f"{expression} AS {name}" for name, expression in sums.items())
    return f"""
    SELECT workspace_id, {of}, {_DAY} AS day, {columns}
      FROM {source} WHERE {condition} GROUP BY 1, 2, 3"""  # noqa: S608


def _adding(table: str, of: str, sums: dict[str, str], rows: str, also: dict[str, str]) -> str:
    columns = ", ".join(("workspace_id", of, "day", *sums, *also))
    values = ", ".join(("workspace_id", of, "day", *sums, *also.values()))
    added = ",\n        ".join(f"{name} = {_added(name)}" for name in sums)
    return f"""
    INSERT INTO {table} AS old ({columns})
    SELECT {values} FROM ({rows}) AS sums ORDER BY 1, 2, 3
        ON CONFLICT (workspace_id, {of}, day) DO UPDATE SET
        {added}"""  # noqa: S608


def _added(name: str) -> str:
    if name in _SPREADS:
        return f"ledger_added(old.{name}, excluded.{name})"
    if name in _LATEST:
        return f"greatest(old.{name}, excluded.{name})"
    return f"old.{name} + excluded.{name}"
