"""A task that this node cannot go on with ends for its own reason, and ends nothing else."""

from django.db import DatabaseError, DataError, IntegrityError, ProgrammingError

from autonomy.domain.states import ErrorClass, State
from autonomy.node.selectors import Offer
from autonomy.sdk.skill import Retries
from autonomy.sessions.orders import End
from autonomy.sessions.pool import Loaded
from autonomy.tasks.services import Claimed, Ending, SessionEnd, after_failure

UNSTORABLE = (DataError, IntegrityError, ProgrammingError)
"""What the database says of bad rows. Whatever else it says means that it is away."""


def unclaimed(offer: Offer, error: Exception) -> Ending:
    """The end of an offered task that cannot even be claimed."""
    return Ending(
        offer.task_id,
        offer.epoch,
        None,
        State.FAILED,
        reason=f"it cannot be started: {error}"[:2000],
        error_class=ErrorClass.PERMANENT,
    )


def claimed(
    offer: Offer, claimed: Claimed, declared: Loaded, error: Exception, end: SessionEnd | None
) -> Ending:
    """What becomes of a claimed task after this node failed it: another attempt, or its end."""
    words = f"the node could not go on with it: {type(error).__name__}: {error}"[:2000]
    may_pass = isinstance(error, OSError | DatabaseError) and not isinstance(error, UNSTORABLE)
    kind = ErrorClass.RESOURCE if may_pass else ErrorClass.PERMANENT
    retries = {**declared.declaration["retries"], "max_attempts": offer.max_attempts}
    fields = after_failure(
        kind,
        state=State.PREFLIGHT if offer.purpose == "preflight" else State.RUNNING,
        attempt=claimed.attempt,
        policy=Retries(**{**retries, "on_exhausted": "fail"}),
        reason=words,
    )
    session = SessionEnd(
        ended=End.FAILED,
        error_class=kind,
        error=words,
        output=end.output if end else "",
        cpu_seconds=end.cpu_seconds if end else None,
        peak_memory_bytes=end.peak_memory_bytes if end else None,
    )
    return Ending(claimed.task_id, claimed.epoch, claimed.session_id, session=session, **fields)
