"""One performance of the main job: a watch looks, the run is followed, a person is asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error

from console.cli.watching import Picture, watch
from console.demo import job
from console.demo.source import Copy
from console.following import TookTooLong, ask, follow
from console.host.errors import StartFailed
from console.selectors.approvals import ApprovalLine
from console.selectors.runs import Run
from firewall.services import DecisionRefused, decide

LOADED_SECONDS = 60.0
QUESTIONS_MAX = 5
"""An approval that has to be given again and again is left to a person who looks."""


@dataclass(frozen=True)
class Answer:
    """What is said to a question, and why."""

    decision: str
    comment: str


Answers = Callable[[ApprovalLine], Answer | None]
"""What to say; None leaves the question open."""


def perform(
    copy: Copy,
    person: User,
    *,
    answers: Answers,
    shown: Picture,
    seconds: float,
    while_away: Callable[[], str],
) -> Run:
    """Let the steward look at the copy, and follow what grows from that as far as it goes."""
    _wait_for_skills()
    with job.watched(copy, person) as looking:

        def look() -> Run:
            return job.seen(looking)

        try:
            return _follow(look, person, answers, shown, seconds, while_away)
        except TookTooLong:
            return _as_far_as_it_came(look)


def _wait_for_skills() -> None:
    try:
        for _ in follow(job.loaded, until=bool, seconds=LOADED_SECONDS):
            continue
    except TookTooLong:
        raise StartFailed(
            f"no node has loaded the steward within {LOADED_SECONDS:.0f} s",
            "`autonomy map` and the logs of the nodes say what stands in the way",
        ) from None


def _follow(
    look: Callable[[], Run],
    person: User,
    answers: Answers,
    shown: Picture,
    seconds: float,
    while_away: Callable[[], str],
) -> Run:
    """The time that a person takes to answer is not counted."""
    answered: set[UUID] = set()

    def question(run: Run) -> ApprovalLine | None:
        return next((asked for asked in run.asked if asked.id not in answered), None)

    while True:
        began = time.monotonic()
        run = watch(
            look,
            until=lambda run: run.over or question(run) is not None,
            seconds=seconds,
            shown=shown,
            while_away=while_away,
        )
        seconds -= time.monotonic() - began
        asked = question(run)
        if asked is None or len(answered) >= QUESTIONS_MAX:
            return run
        if not _answered(asked, person, answers, shown):
            return run
        answered.add(asked.id)


def _answered(asked: ApprovalLine, person: User, answers: Answers, shown: Picture) -> bool:
    with shown.aside():
        answer = answers(asked)
    if answer is None:
        return False
    said = asked.id, person, answer.decision, answer.comment
    try:
        ask(partial(decide, *said, digest=asked.action_digest))
    except DecisionRefused as refused:
        shown.note(f"not {answer.decision}: {refused}")
    else:
        shown.note(f"{answer.decision} as {person.username}: {answer.comment}")
    return True


def _as_far_as_it_came(look: Callable[[], Run]) -> Run:
    try:
        return look()
    except Error as error:
        raise TookTooLong(f"its time is up, and the database is away: {error}") from None
