"""What keeps whole sets of tasks from running: stops and the autonomy level (D-19, F-11)."""

from autonomy.domain.reasons import Reason, Waiting
from autonomy.domain.world import Purpose, ReadyTask, Stop, Subject, World
from firewall.domain.levels import Level


def stopped_origins(world: World) -> frozenset[str]:
    """The origins whose tasks may not run."""
    return frozenset(stop.name for stop in world.stops if stop.subject == Subject.ORIGIN)


def standing_in_the_way(task: ReadyTask, world: World, *, of_origin: bool = True) -> Waiting | None:
    """The stop or level that binds the task, the widest first; None when nothing does."""
    if world.level is Level.OFF:
        return Waiting(Reason.AUTONOMY_LEVEL, "the autonomy level is off: nothing starts")
    for subject in Subject:
        for stop in world.stops:
            if stop.subject == subject and _covers(stop, task, of_origin=of_origin):
                return _stopped(stop)
    return _beyond_level(task, world.level)


def _covers(stop: Stop, task: ReadyTask, *, of_origin: bool) -> bool:
    match stop.subject:
        case Subject.TIER:
            return str(task.tier) == stop.name
        case Subject.SKILL:
            return task.skill == stop.name
        case Subject.ORIGIN:
            return of_origin and task.origin == stop.name
        case Subject.EVERYTHING:
            return True


def _stopped(stop: Stop) -> Waiting:
    what = "everything" if stop.subject == Subject.EVERYTHING else f"{stop.subject} {stop.name}"
    return Waiting(
        stop.reason,
        stop.words or f"{what} is stopped: {stop.reason.value}",
        {"subject": str(stop.subject), "name": stop.name},
    )


def _beyond_level(task: ReadyTask, level: Level) -> Waiting | None:
    """A reason where the level holds back such a task; a pre-flight changes nothing."""
    if level is Level.FULL or task.purpose is Purpose.PREFLIGHT or task.changes_nothing:
        return None
    if level is Level.OBSERVE:
        words = "the autonomy level is observe: only what changes nothing runs"
    elif task.approved:
        return None
    elif level is Level.ASK and task.tier > 1:
        words = f"the autonomy level is ask: tier {task.tier} waits for a person"
    elif task.unplanned:
        words = f"the autonomy level is {level}: its pre-flight comes first"
    else:
        return None
    return Waiting(Reason.AUTONOMY_LEVEL, words, {"level": level.value})
