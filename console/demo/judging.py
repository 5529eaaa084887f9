"""How a run of the main job ended, from what its tasks, the report and a person say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.demo.record import Ending
from console.host.exits import Exit

MERGE, REPORT = "repo.merge", "repo.report"
_OVER = frozenset({"done", "failed", "cancelled", "rejected", "expired"})


@dataclass(frozen=True)
class Ended:
    """What of a task decides how the run ended."""

    skill: str
    state: str
    verdict: str = ""
    reason: str = ""
    result: Any = None

    @property
    def proven(self) -> bool:
        """Whether the evidence says that it reached its goal."""
        return self.state == "done" and self.verdict == "verified"


@dataclass(frozen=True)
class Judgement:
    """How it ended, in a word, in words, and as an exit code."""

    ending: Ending
    words: str
    exit: Exit


def judge(tasks: Sequence[Ended], *, said_no: bool, origin_moved: bool) -> Judgement:
    """Only evidence makes a good end; a person's no, and a reason in the report, are good too."""
    merges = [task for task in tasks if task.skill == MERGE]
    others = [task for task in tasks if task.skill != MERGE]
    unfinished = [task.skill for task in others if task.state not in _OVER]
    if unfinished or not others:
        words = f"not over: {', '.join(unfinished) or 'nothing was asked for'}"
        return Judgement(Ending.UNFINISHED, words, Exit.TIMEOUT)
    if why := _why_no_fix(others):
        return _without_fix(others, why)
    if unproven := [task for task in others if not task.proven]:
        return _unproven(unproven)
    return _merge(merges, said_no=said_no, origin_moved=origin_moved)


def _merge(merges: Sequence[Ended], *, said_no: bool, origin_moved: bool) -> Judgement:
    if any(merge.state == "held" for merge in merges):
        return Judgement(Ending.HELD, "the merge waits for a person", Exit.OK)
    if said_no and not origin_moved:
        words = "a person rejected the merge, and origin is untouched"
        return Judgement(Ending.REJECTED, words, Exit.OK)
    if any(merge.state not in _OVER for merge in merges):
        return Judgement(Ending.UNFINISHED, "the merge is not over", Exit.TIMEOUT)
    if not merges or not all(merge.proven for merge in merges):
        return _unproven([merge for merge in merges if not merge.proven])
    words = "every task is verified, and origin's branch stands on the approved commit"
    return Judgement(Ending.MERGED, words, Exit.OK)


def _why_no_fix(tasks: Sequence[Ended]) -> str:
    """The reason that a proven report gives."""
    reports = [task.result for task in tasks if task.skill == REPORT and task.proven]
    reasons = [report.get("why_no_fix") for report in reports if isinstance(report, dict)]
    return next((str(reason) for reason in reasons if reason), "")


def _without_fix(tasks: Sequence[Ended], why: str) -> Judgement:
    """A refused fix is as it should be; a check that could not be made is not."""
    failed = any(task.state == "failed" for task in tasks)
    code = Exit.NOT_DONE if failed else Exit.OK
    return Judgement(Ending.NO_FIX, f"no fix is offered: {why}", code)


def _unproven(tasks: Sequence[Ended]) -> Judgement:
    words = "; ".join(map(_told, tasks)) or "no merge was asked for"
    return Judgement(Ending.UNPROVEN, words, Exit.NOT_DONE)


def _told(task: Ended) -> str:
    return " ".join(f"{task.skill} ended {task.state} {task.verdict} {task.reason}".split())
