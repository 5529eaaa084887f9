"""`repo.prepare`: the environment that tests will be run in, from wheels only."""

from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Scope, VerifierContext, skill
from autonomy.sdk.evidence import check
from autonomy.verification import file_is, file_is_fresh, sha256_of
from steward import environment
from steward.arguments import Commit, Origin
from steward.declared import Snapshot


class Prepared(BaseModel):
    """What is in the environment."""

    commit: str
    installed: list[str]
    left_out: list[str]
    """What the tests may miss, and why it could not be had."""
    sha256: str


@skill(
    name="repo.prepare", owner="steward", tier=1, timeout="5m", memory="1GB", disk="2GB",
    estimate="15s", scope=Scope(read=("{origin}",), network=True),
)  # fmt: skip
def prepare(ctx: Context, origin: Origin, commit: Commit) -> Prepared:
    """Fetch what a commit's tests need as wheels; nothing of the repository or of them is run."""
    needs = Snapshot(Path(origin), commit).needs()
    ctx.say(f"fetching {', '.join(['pytest', *needs.project, *needs.tests])}")
    left_out = environment.install(needs.project, needs.tests, ctx.folder)
    packed = ctx.artifacts / environment.NAME
    environment.pack(ctx.folder / "site", packed)
    return Prepared(
        commit=commit,
        installed=environment.distributions(packed),
        left_out=[*needs.left_out, *left_out],
        sha256=sha256_of(packed),
    )


@prepare.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Prepared) -> Evidence:
    """Look into the kept file: the promised bytes, of this attempt, with all the project needs."""
    packed = ctx.artifacts[environment.NAME]
    needed = ["pytest", *Snapshot(Path(args["origin"]), args["commit"]).needs().project]
    names = {canonicalize_name(Requirement(text).name) for text in needed}
    there = {canonicalize_name(d.partition("==")[0]) for d in environment.distributions(packed)}
    return Evidence.of(
        file_is(packed, sha256=result.sha256),
        file_is_fresh(packed, since=ctx.started_at),
        check("wheels in it", expected=result.installed, seen=environment.distributions(packed)),
        check("needed and missing", expected=[], seen=sorted(names - there)),
    )
