"""What a session does for each purpose: the author's code is called from here, and nowhere else."""

import json
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from autonomy.sdk.context import VerifierContext
from autonomy.sdk.errors import Permanent
from autonomy.sdk.evidence import Check, Evidence, Verdict, all_of
from autonomy.sdk.looking import Look, looking
from autonomy.sdk.plan import Plan, Settled, settled
from autonomy.sdk.skill import Skill
from autonomy.sessions.context import LookingContext, SessionContext, upstream_of
from autonomy.sessions.looks import Asked, NoDatabase, Query
from autonomy.sessions.orders import Assignment, Order, Purpose
from autonomy.sessions.supervised import Supervised
from autonomy.sessions.text import bounded

T = TypeVar("T")

_MOST_ARTIFACTS = 10_000


def answered(order: Assignment, component: Any, supervisor: Supervised) -> Any:
    """Do what the order says; the answer in JSON form."""
    match order.purpose:
        case Purpose.RUN:
            return run(order, component, supervisor)
        case Purpose.PREFLIGHT:
            return preflight(order, component, supervisor)
        case Purpose.READS:
            return {"reads": reads(order, component)}
        case Purpose.VERIFY:
            return verify(order, component, Asked(supervisor))
        case Purpose.RECONCILE:
            return reconcile(order, component, supervisor, order.step).model_dump(mode="json")
        case Purpose.DETECT | Purpose.LOOK:
            raise Permanent("only a looker looks")


def run(order: Assignment, skill: Skill, supervisor: Supervised) -> Any:
    """Run the skill; its result after the declared type has accepted it."""
    settle = partial(reconcile, order, skill, supervisor) if skill.reconcile_hook else None
    ctx = SessionContext(order, supervisor, settle)
    result = skill.run(ctx, **skill.values(order.args))
    try:
        return skill.result.dump_python(skill.result.validate_python(result), mode="json")
    except ValueError as error:
        raise Permanent(f"the result does not fit what the skill declares: {error}") from None


def preflight(order: Assignment, skill: Skill, supervisor: Supervised) -> dict[str, Any]:
    """What would change, whether to go on, and the state of the world this rests on (F-2, F-3)."""
    return {
        "plan": _plan(order, skill, supervisor).model_dump(mode="json"),
        "reads": reads(order, skill),
    }


def reads(order: Assignment, skill: Skill) -> dict[str, str]:
    """The state of the world that an approval is bound to."""
    if skill.reads_hook is None:
        return {}
    found = skill.reads_hook(**skill.values(order.args))
    return {str(name): str(value) for name, value in found.items()}


def verify(order: Assignment, skill: Skill, asked: Asked) -> dict[str, Any]:
    """What the skill's verifier finds in the world (C-19)."""
    if skill.verify_hook is None:
        return Evidence(verdict=Verdict.UNVERIFIED).model_dump(mode="json")
    ctx = VerifierContext(
        task_id=order.task_id,
        own_folder=order.folder if order.has_folder else None,
        kept=_files(order.artifacts) if order.has_artifacts else None,
        own_artifacts=order.artifacts if order.has_artifacts else None,
        started_at=_given(order.started_at, "started_at"),
        upstream=upstream_of(order),
        query=asked.query if order.asks_database else NoDatabase().query,
        process=asked.process,
    )
    result = skill.result.validate_python(order.result) if order.has_result else None
    with looking(Look(waited_seconds=order.waited_seconds, network=order.scope.network)):
        found = skill.verify_hook(ctx, skill.values(order.args), result)
    if not isinstance(found, Check | Evidence):
        raise Permanent(f"a verifier answers with evidence; this one gave {type(found).__name__}")
    evidence = all_of(found) if isinstance(found, Check) else found
    return evidence.model_dump(mode="json")


def reconcile(order: Assignment, skill: Skill, supervisor: Supervised, step: str) -> Settled:
    """Whether an effect that was begun has happened."""
    if skill.reconcile_hook is None:
        raise Permanent(f"{skill.name} has no reconcile hook")
    ctx = LookingContext(order, supervisor, None)
    with looking(Look(network=order.scope.network)):
        return settled(skill.reconcile_hook(ctx, step, skill.values(order.args)))


def detect(order: Order, detector: Any, query: Query) -> list[dict[str, Any]]:
    """What a detector notices."""
    findings: list[dict[str, Any]] = detector.findings(
        now=_given(order.now, "now"),
        due_at=_given(order.due_at, "due_at"),
        params=order.params,
        query=query,
    )
    return findings


def _plan(order: Assignment, skill: Skill, supervisor: Supervised) -> Plan:
    if skill.preflight_hook is not None:
        ctx = LookingContext(order, supervisor, None)
        return Plan.model_validate(skill.preflight_hook(ctx, **skill.values(order.args)))
    if skill.tier == 2:
        return Plan(go=False, summary=f"{skill.name} is of tier 2 and declares no pre-flight check")
    return Plan(go=True, summary=_call(skill.name, order.args))


def _call(name: str, args: dict[str, Any]) -> str:
    parts = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in args.items())
    return bounded(f"{name}({', '.join(parts)})", 2_000)


def _files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and len(files) < _MOST_ARTIFACTS:
            files[str(path.relative_to(folder))] = path
    return files


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise Permanent(f"the order has no {name}")
    return value
