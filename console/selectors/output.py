"""What the sessions of a task print, one after the other."""

from dataclasses import dataclass, replace
from uuid import UUID

from autonomy.domain.states import LIVE, State
from autonomy.tasks.models import Session, Task
from autonomy.tasks.selectors.output import printed


@dataclass(frozen=True)
class OutputLine:
    """What a session has printed after some place. `over` says that nothing more will come."""

    task_id: UUID
    session_id: UUID | None
    purpose: str
    attempt: int
    text: str
    skipped: int
    place: int
    ended: str
    over: bool


def latest(task_id: UUID) -> OutputLine:
    """All that can be read of the newest session of a task."""
    newest = Session.objects.filter(task_id=task_id).order_by("-id").first()
    return _line(task_id, newest, 0)


def after(seen: OutputLine) -> OutputLine:
    """What came since: of the same session, or of the one after it when that was over."""
    rows = Session.objects.filter(task_id=seen.task_id)
    if seen.session_id is None:
        return _line(seen.task_id, rows.order_by("id").first(), 0)
    if not seen.ended:
        return _line(seen.task_id, rows.get(pk=seen.session_id), seen.place)
    following = rows.filter(pk__gt=seen.session_id).order_by("id").first()
    return _line(seen.task_id, following, 0) if following else _nothing_new(seen)


def _line(task_id: UUID, session: Session | None, place: int) -> OutputLine:
    if session is None:
        return OutputLine(task_id, None, "", 0, "", 0, 0, "", _is_over(task_id))
    now = printed(session, place)
    over = bool(now.ended) and _is_over(task_id)
    return OutputLine(
        task_id, session.pk, session.purpose, session.attempt, now.shown, now.skipped, now.place,
        now.ended, over and not Session.objects.filter(task_id=task_id, pk__gt=session.pk).exists(),
    )  # fmt: skip


def _nothing_new(seen: OutputLine) -> OutputLine:
    return replace(seen, text="", skipped=0, over=_is_over(seen.task_id))


def _is_over(task_id: UUID) -> bool:
    state = Task.objects.values_list("state", flat=True).get(pk=task_id)
    return State(state) not in LIVE
