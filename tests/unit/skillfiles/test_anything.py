"""Whatever stands in a skill file: it is a skill, or a problem with a name, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomy.skillfiles import errors
from autonomy.skillfiles.errors import BadSkillFile
from autonomy.skillfiles.examining import examined

WHOLE: dict[str, Any] = {
    "name": "a.b", "description": "x", "tier": 2, "owner": "me",
    "arguments": {"n": {"type": "integer", "minimum": 1, "default": 2}, "s": "string"},
    "http": {"url": "https://a.example.com/{n}", "method": "PUT", "json": {"a": ["{s}"]},
             "headers": {"X-A": "{s}"}, "query": {"q": "{n}"}},
    "preflight": {"run": ["echo", "{s}"], "go": [1], "summary": "{s}"},
    "reads": ["/srv/{s}"], "scope": {"read": ["/srv/{s}"]},
    "result": {"as": "json", "schema": {"type": "object"}, "ok": ["2xx"]},
    "verify": [
        {"eventually": {"within": "1m", "of": {"http": {"url": "https://b.example.com/{s}"}}}},
        {"any_of": [{"file_is": {"path": "{ctx.artifacts}/x", "sha256": "{result.sha}"}}]},
        {"command_answers": {"argv": ["cat", "{s}"], "contains": "{s}"}},
        {"count_is": {"looked_at": "x", "sql": "SELECT 1", "params": ["{s}"], "exactly": 1}},
    ],
    "limits": {"timeout": "1m"}, "retries": {"times": 1}, "labels": ["x"],
}  # fmt: skip

ODD = st.sampled_from(
    ["", "{", "}", "{x}", "{s}", "{s.a}", "{0}", "{{", "https://{s}/", "file:///x", "[", "\u202e",
     "-1", "x" * 300, "1e9999d", "/../x", "ctx", "http://[::1", "https://a:99999/"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(ODD | st.sampled_from(["http", "url", "run", "type"]), inner, max_size=3)
    ),
    max_leaves=5,
)
KNOWN = {
    kind.__name__
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BadSkillFile)
}


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    deep = [
        p for key, item in inside if isinstance(item, dict | list) for p in paths(item, (*at, key))
    ]
    return [
        *((*at, key) for key in (value if isinstance(value, dict) else range(len(value)))),
        *deep,
    ]


def replaced(path: tuple[Any, ...], value: Any) -> Any:
    """The document with something else in one place."""
    document = json.loads(json.dumps(WHOLE))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def told(folder: Path, content: bytes) -> str:
    """What is said of such a file; nothing where it is a skill."""
    path = folder / "x.yaml"
    path.write_bytes(content)
    problem: str = examined(path).get("problem", "")
    return problem


def test_the_document_itself_is_a_skill(tmp_path: Path) -> None:
    assert told(tmp_path, json.dumps(WHOLE).encode()) == ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("skills")


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(paths(WHOLE)), value=VALUES)
def test_anything_in_any_place_is_a_skill_or_a_problem_with_a_name(
    folder: Path, path: tuple[Any, ...], value: Any
) -> None:
    said = told(folder, json.dumps(replaced(path, value)).encode())

    assert not said or said.rpartition("\n")[2].partition(":")[0] in KNOWN, said


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))
)
def test_any_bytes_are_a_problem_with_a_name(folder: Path, content: bytes) -> None:
    assert told(folder, content).rpartition("\n")[2].partition(":")[0] in KNOWN
