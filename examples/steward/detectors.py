"""What the steward keeps an eye on."""

from collections.abc import Iterator
from pathlib import Path

from autonomy.verification import commit_of
from heartbeats.sdk import Finding, View, detector
from steward.arguments import head

_LONGEST = 120  # a key has room for this much of a path, and a commit


@detector(every="5s", kind="external", read=("{origin}",), owner="steward")
def repo_changed(view: View, origin: str, branch: str) -> Iterator[Finding]:
    """A branch of a repository has a head that was not surveyed yet."""
    commit = commit_of(Path(origin), head(branch))
    if commit is not None:
        yield Finding(
            skill="repo.survey",
            args={"origin": origin, "branch": branch, "commit": commit},
            dedupe_key=f"{origin[-_LONGEST:]}@{commit}",
            reason=f"{branch} of {origin} is at {commit[:12]}",
            once=True,
        )
