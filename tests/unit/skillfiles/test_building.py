"""A skill file becomes a skill like every other, or says with line and column what to change."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autonomy.sdk import Skill
from autonomy.sdk.skill import BadArguments
from autonomy.skillfiles.building import skill_of
from autonomy.skillfiles.examining import examined
from autonomy.skillfiles.reading import read
from autonomy.skillfiles.shape import schema

ROOT = Path(__file__).parents[3]
GREET = """\
name: files.greet
description: Greet somebody.
tier: 1
owner: me
arguments:
  name: string
run: [echo, "{name}"]
"""


def built(text: str, folder: Path = Path("/nowhere")) -> Skill:
    return skill_of(folder / "x.yaml", text.encode(), read(text.encode()).value)


def problem(tmp_path: Path, text: str) -> str:
    """The last line of what the map says of such a file."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    found = examined(path)
    told: str = found.get("problem", "no problem")
    return told.replace(str(path), "x.yaml").rpartition("\n")[2]


def changed(old: str, new: str) -> str:
    assert old in GREET
    return GREET.replace(old, new)


def test_a_file_says_all_that_a_decorator_can() -> None:
    it = built(
        GREET
        + """\
limits: {timeout: 2m, memory: 64MB, processes: 8}
retries: {times: 4, backoff: 1s, on_exhausted: hold}
scope: {read: ["/srv/{name}"]}
estimate: 3s
isolation: files
labels: [gpu]
critical: true
"""
    )

    declared = it.declaration()
    assert (it.name, it.tier, it.owner, it.description) == (
        "files.greet", 1, "me", "Greet somebody.",
    )  # fmt: skip
    assert (declared["limits"]["wall_seconds"], declared["limits"]["processes"]) == (120, 8)
    assert (declared["retries"]["max_attempts"], declared["retries"]["on_exhausted"]) == (5, "hold")
    assert declared["scope"]["read"] == ["/srv/{name}"]
    assert (declared["isolation"], declared["labels"], declared["critical"]) == (1, ["gpu"], True)
    assert it.estimate_seconds == 3


def test_an_undeclared_tier_is_three() -> None:
    assert built(changed("tier: 1\n", "")).tier == 3


def test_arguments_are_checked_by_their_types_and_nothing_is_converted() -> None:
    it = built(
        changed(
            "  name: string\n",
            """\
  name: {type: string, pattern: "^[a-z]+$", maxLength: 3, description: Whom.}
  count: {type: integer, minimum: 1, default: 2}
  share: {type: number, maximum: 1, default: 0.5}
  loud: {type: boolean, default: false}
  mode: {enum: [fast, slow], default: fast}
  tags: {type: array, items: {type: integer}, maxItems: 2, default: []}
""",
        )
    )

    assert it.checked({"name": "ada", "tags": [1]}) == {
        "name": "ada", "count": 2, "share": 0.5, "loud": False, "mode": "fast", "tags": [1],
    }  # fmt: skip
    for wrong in (
        {"name": "Ada"}, {"name": "adas"}, {"name": 3}, {"count": "2"}, {"count": 0},
        {"count": True}, {"share": 2}, {"loud": "no"}, {"mode": "off"}, {"tags": ["1"]},
        {"tags": [1, 2, 3]}, {"more": 1},
    ):  # fmt: skip
        with pytest.raises(BadArguments, match=next(iter(wrong))):
            it.checked({"name": "ada", **wrong})
    assert it.declaration()["arguments"]["properties"]["name"]["description"] == "Whom."


WRONG = {
    "tier: 1": [
        ("tier: 4", "WrongValue: x.yaml, line 3, column 1: 'tier': Input should be 1, 2 or 3"),
        ('tier: "1"', "line 3, column 1: 'tier': Input should be 1, 2 or 3"),
        ("teir: 1", "UnknownKey: x.yaml, line 3, column 1: there is no key 'teir' here; did you"),
        ("tier: 1\ntier: 3", "DuplicateKey: x.yaml, line 4, column 1: 'tier' stands in line 3 too"),
        ("tier: 2", "line 3, column 1: tier 2 needs a `preflight` that says what would change"),
    ],
    "name: files.greet\n": [
        ("", "MissingKey: x.yaml, line 1, column 1: 'name' is missing; add it")
    ],
    "files.greet": [
        ("42", "WrongValue: x.yaml, line 1, column 1: 'name' is a text; write it in quotes"),
        ("no spaces", "'no spaces' cannot be the name of a skill"),
    ],
    "owner: me": [("owner: {me}", 'write "{me}" in quotes, because braces mean something')],
    "Greet somebody.": [("[a, b]", "'description' is a text; write one")],
    "name: string": [
        ("name: text", "line 6, column 3: 'type': Input should be 'string', "),
        ("name: {type: integer, default: '3'}", "column 25: '3' is no integer that it allows"),
        ("name: {default: 1.10}", "1.1 is no string that it allows"),
        ("name: {enum: [on, 1]}", "1 is no string; quote a text, or declare its type"),
        ("name: {minimum: 3}", "minimum says nothing about a string"),
        ("name: {pattern: '['}", "the pattern cannot be used"),
        ("name: string\n  ctx: string", "'ctx' cannot be the name of an argument"),
    ],
    '"{name}"': [
        ('"{nmae}"', "line 7, column 13: '{nmae}': there is no argument 'nmae'; there are: "),
        ('"{name.__class__}"', "there is no argument 'name.__class__'"),
        ('"{name!r}"', "is no name of an argument; write {{ for a brace"),
        ('"{name"', "write {{ for a brace"),
        ('"{ctx.here}/x.sh"', "x.sh is not among its files; add `files: [x.sh]`"),
    ],
    "echo,": [('"{name}",', "an argument cannot choose the program; write it out")],
    'run: [echo, "{name}"]': [
        ("shell: echo {name}", 'write "$arg_name" for {name}'),
        ("", "give exactly one of `run`, `shell` and `http`"),
    ],
}
ADDED = {
    "shell: echo": "give exactly one of `run`, `shell` and `http`",
    "files: [../../etc/passwd]": "line 8, column 9: '../../etc/passwd' is no file beside this one",
    "files: [/etc/passwd]": "'/etc/passwd' is no file beside this one",
    "files: [gone.sh]": "gone.sh cannot be read: No such file or directory",
    "scope: {read: [inbox]}": "'inbox' is no absolute path; begin it with /",
    "scope: {hosts: [example.com]}": "hosts bind `http` only",
    "limits: {timeout: soon}": "timeout of files.greet: 'soon' is not a duration",
    "limits: {timeout: 30}": "'timeout' is a text; write it in quotes",
    "limits: {memory: 0MB}": "limits of files.greet: memory_bytes",
    "retries: 100": "'times': Input should be less than or equal to 99",
    "result: {ok: [2xx]}": "an exit code is a number up to 255",
    "result: xml": "'as': Input should be 'text', 'json' or 'nothing'",
    "verify: [{file_is_there: {}}]": "there is no check 'file_is_there'; there are: ",
    "verify: [{any_of: []}]": "write a list of checks",
    "verify: [{any_of: [{file_is: {path: /x}}]}]": "file_is needs 'sha256'",
    "verify: [{eventually: {of: {file_is: {}}}}]": "'within' is missing; add it",
    "verify: [{eventually: {within: soon, of: {}}}]": "'soon' is not a duration",
    "verify: [{command_answers: {argv: cat x}}]": "write the command as a list of words",
    "verify: [{command_answers: {argv: ['{name}']}}]": "an argument cannot choose the program",
    "verify: [{process_is_gone: {process: x, pid: 1}}]": "process_is_gone takes no 'process'",
    "verify: [{file_is: {path: /x}}]": "file_is needs 'sha256'",
    "verify: [{file_is: {path: /x, sha: y}}]": "file_is takes no 'sha'; it takes path, sha256",
    "verify: [{file_is: {path: x, sha256: y}}]": "begin the path with {ctx.artifacts}/",
    "verify: [{file_is: {path: /x, sha256: '{size}'}}]": "there is no argument 'size'",
    "verify: [{rows_are: {looked_at: x, sql: '{name}', params: [], expected: []}}]": (
        "nothing is put into this text; use `params`"
    ),
    "verify: [{http: {url: 'https://x', staus: 3}}]": "no key 'staus' here; did you mean 'status'?",
    "preflight: {http: {url: '{{'}}": "write it as https://host/path",
    "preflight: {http: {url: '{'}}": "write {{ for a brace",
    "verify: [{http: {url: 3}}]": "'url' is a text; write it in quotes",
    "verify: [{http: 3}]": "line 8, column",
    "preflight: {run: [a], shell: b}": "give exactly one of",
    "preflight: {http: {url: 'https://x', method: POST}}": "a pre-flight changes nothing: use GET",
}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *((changed(old, new), told) for old, pairs in WRONG.items() for new, told in pairs),
        *((f"{GREET}{more}\n", told) for more, told in ADDED.items()),
        ("- 1\n", "a skill file is a list of keys, such as `name: greet`"),
        ("", "a skill file is a list of keys, such as `name: greet`"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in problem(tmp_path, text)


def http(tail: str, url: str = "https://api.example.com/users/{name}") -> str:
    return changed('run: [echo, "{name}"]', f"http:\n  url: {url}\n  {tail}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (http("", "https://{name}/x"), "an argument cannot choose the host"),
        (http("", "https://api.example.com:{name}/x"), "an argument cannot choose the host"),
        (http("", "'{name}'"), "write it as https://host/path"),
        (http("", "https://me:pw@example.com/"), "write it as https://host/path, without a login"),
        (http("", "file:///etc/passwd"), "write it as https://host/path"),
        (http("", "gopher://example.com/"), "write it as https://host/path"),
        (http("", "https://example.com/?q={name}"), "put what follows ? under `query`"),
        (http("", "https://example.com/#x"), "put what follows ? under `query`"),
        (http("headers: {Host: x}"), "Host is set by the client; leave it out"),
        (http("headers: {'A b': x}"), "'A b' is no name of a header"),
        (http("method: TRACE"), "'method': Input should be 'GET', "),
        (http("json: {a: 1}"), "none to GET or HEAD"),
        (http("method: POST\n  json: {a: 1}\n  form: {a: 1}"), "give one of json, form and text"),
        (http("method: POST\n  json: {a: '{nmae}'}"), "there is no argument 'nmae'"),
        (http("timeout: 3 days"), "'3 days' is not a duration"),
        (http("redirects: 6"), "'redirects': Input should be less than or equal to 5"),
        (http("\nscope: {hosts: [other.example.com]}"), "api.example.com is not among the hosts"),
        (http("\nstdin: x"), "a request has no stdin"),
    ],
)
def test_a_request_that_would_be_unsafe_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in problem(tmp_path, text)


def test_the_line_with_the_mistake_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(changed("owner: me", "ownre: me"))

    assert examined(path)["problem"].startswith("  ownre: me\n  ^\nUnknownKey: ")


def test_a_request_has_a_network_and_only_its_host() -> None:
    scope = built(http("")).scope

    assert (scope.network, scope.hosts) == (True, ("api.example.com",))


def test_every_host_that_is_asked_is_in_the_scope() -> None:
    scope = built(
        http("method: PUT\n  json: {http: {url: 'https://no.example.com/', a: {http: 3}}}")
        + """\
preflight: {http: {url: "https://before.example.com/"}}
verify:
  - any_of:
      - http: {url: "https://after.example.com:8443/{name}"}
      - eventually: {within: 1m, of: {http: {url: "https://later.example.com/"}}}
"""
    ).scope

    assert scope.hosts == (
        "after.example.com:8443", "api.example.com", "before.example.com", "later.example.com",
    )  # fmt: skip


def test_a_command_whose_verifier_asks_has_a_network_for_it() -> None:
    scope = built(GREET + "verify: [{http: {url: 'https://a.example.com/'}}]\n").scope

    assert (scope.network, scope.hosts) == (True, ("a.example.com",))
    assert not built(GREET).scope.network


def test_the_version_is_of_the_file_and_of_those_that_come_with_it(tmp_path: Path) -> None:
    script = tmp_path / "say.sh"
    script.write_text("echo 1")
    text = changed("echo,", '"{ctx.here}/say.sh",') + "files: [say.sh]\n"
    first = built(text, tmp_path).version

    assert built(text, tmp_path).version == first
    assert built(text + "critical: true\n", tmp_path).version != first
    script.write_text("echo 2")
    assert built(text, tmp_path).version != first


def test_a_link_among_its_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "say.sh").symlink_to("/etc/passwd")

    assert "is a link that leads elsewhere" in problem(tmp_path, GREET + "files: [say.sh]\n")


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads((ROOT / "docs" / "skill.schema.json").read_text()) == schema()


@pytest.mark.parametrize("text", [GREET, http("method: POST\n  json: {a: '{name}'}")])
def test_what_is_accepted_fits_the_published_schema(text: str) -> None:
    built(text)
    jsonschema.validate(read(text.encode()).value, schema())


@pytest.mark.parametrize(
    "wrong", [{"tier": 4}, {"teir": 1}, {"name": 3}, {"run": "echo"}, {"limits": {"timeout": 3}}]
)
def test_an_editor_sees_the_same_mistakes(wrong: dict[str, Any]) -> None:
    value = {**read(GREET.encode()).value, **wrong}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, schema())
