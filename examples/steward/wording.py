"""The words of the report. What comes from the repository is quoted as code and never as markup."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from autonomy.sdk.context import Upstream
from steward.git import shown

_ORDER = ("lint", "metrics", "prepare", "test", "fix", "test_fix")


def _linted(r: Mapping[str, Any]) -> str:
    return (
        f"The linter has {r['findings']} findings in {r['files']} files by the rules of"
        f" {quoted(r['rules'])}; {r['fixable']} can be mended safely."
    )


def _measured(r: Mapping[str, Any]) -> str:
    return (
        f"{r['files']} files, of which {r['python_files']} are Python with {r['lines']} lines and"
        f" {r['functions']} functions; the median one has {r['median_function_lines']:g} lines,"
        f" and {r['mean_complexity']:g} ways lead through each on average."
    )


def _prepared(r: Mapping[str, Any]) -> str:
    return (
        f"The tests ran with {len(r['installed'])} wheels; {len(r['left_out'])} could not be had."
    )


def _tested(r: Mapping[str, Any]) -> str:
    colour = "green" if r["outcome"]["green"] else "not green"
    return f"The tests of {r['commit'][:12]} are {colour}: {r['outcome']['summary']}."


def _fixed(r: Mapping[str, Any]) -> str:
    return (
        f"The fix {r['commit'][:12]} on {quoted(r['branch'])} changes {r['lines']} lines in"
        f" {len(r['files'])} files and leaves {r['findings_after']} of"
        f" {r['findings_before']} findings."
    )


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "repo.lint": _linted,
    "repo.metrics": _measured,
    "repo.prepare": _prepared,
    "repo.test": _tested,
    "repo.fix": _fixed,
}


def said_of(skill: str, result: Mapping[str, Any]) -> str:
    """The sentence that holds the numbers of a result."""
    return SENTENCES[skill](result)


def row_of(skill: str, state: str, verdict: str | None, task: UUID | str) -> str:
    """How the end of a task stands in the table of the report."""
    return f"| {skill} | {state} | {verdict or 'none'} | {task} |"


def quoted(text: str) -> str:
    """Text of the repository as code: nothing in it can end the quotation."""
    return "`" + shown(text).replace("`", "'") + "`"


def written(
    name: str, branch: str, commit: str, upstream: Mapping[str, Upstream], why_no_fix: str
) -> str:
    """The whole report as markdown."""
    return "\n".join(_lines(name, branch, commit, upstream, why_no_fix)) + "\n"


def _lines(
    name: str, branch: str, commit: str, upstream: Mapping[str, Upstream], why_no_fix: str
) -> Iterator[str]:
    tasks = [upstream[key] for key in _ORDER if key in upstream]
    results = {task.key: task.result for task in tasks if task.state == "done"}
    yield from (
        f"# {quoted(name)} at {commit[:12]}",
        "",
        f"Branch {quoted(branch)}, commit `{commit}`.",
        "",
    )
    for task in tasks:
        if task.key in results and task.skill in SENTENCES:
            yield f"- {said_of(task.skill, task.result)}"
    yield from ("", "## The fix", "")
    if why_no_fix:
        yield f"No fix is offered: {quoted(why_no_fix)}"
    else:
        yield from ("A fix is offered. A person decides about its merge.", "")
        yield from (f"- {quoted(path)}" for path in results["fix"]["files"])
    yield from _details(results)
    yield from (
        "",
        "## Tasks",
        "",
        "| Skill | State | Verdict | Task |",
        "| --- | --- | --- | --- |",
    )
    yield from (row_of(t.skill, t.state, t.verdict, t.task_id) for t in tasks)


def _details(results: Mapping[str, Any]) -> Iterator[str]:
    """Lists worth reading, where there is something in them."""
    for title, key, field in (
        ("What the linter found first", "lint", "first"),
        ("Tests that failed", "test", "failing"),
        ("Tests of the fix that failed", "test_fix", "failing"),
        ("The most complex functions", "metrics", "most_complex"),
        ("Files that do not parse", "metrics", "unreadable"),
        ("What the tests had to do without", "prepare", "left_out"),
    ):
        if found := results.get(key, {}).get(field):
            yield from ("", f"## {title}", "", *(f"- {quoted(item)}" for item in found))
