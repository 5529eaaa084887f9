"""Nothing to do, and something that waits."""

import time
from typing import Any

from autonomy.sdk import Context, Evidence, VerifierContext, skill
from autonomy.sdk.evidence import check


@skill(tier=1, owner="bench", estimate="1s")
def nothing(ctx: Context) -> float:
    """Say when the first line of the skill was reached."""
    return time.monotonic()


@nothing.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: float) -> Evidence:
    return Evidence.of(check("when it ran", expected=True, seen=0 < result < time.monotonic()))


@skill(tier=1, owner="bench")
def wait(ctx: Context, seconds: float) -> None:
    """Be there, to be looked at."""
    time.sleep(seconds)
