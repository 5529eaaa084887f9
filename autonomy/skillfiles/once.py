"""Doing something at most once over all attempts, unless it was clearly not done (C-9)."""

from collections.abc import Callable
from typing import Any

from autonomy.sdk.context import Context

Answer = dict[str, Any]


def at_most_once(
    ctx: Context, act: Callable[[], Answer], *, refused: Callable[[Answer], bool]
) -> Answer:
    """The answer of the attempt that counts.

    Each attempt is an effect of its own. One that was clearly refused makes room for the next; one
    that was begun and has no answer is ambiguous, or settled by the skill's `reconcile`.
    """
    fresh: list[Answer] = []

    def first_time() -> Answer:
        fresh.append(act())
        return fresh[-1]

    for number in range(1, ctx.attempt):
        answer: Answer = ctx.effect(f"attempt {number}", first_time)
        if fresh or not refused(answer):
            return answer
    last: Answer = ctx.effect(f"attempt {ctx.attempt}", first_time)
    return last
