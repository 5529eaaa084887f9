"""Skills in YAML run as every other: bounded, verified, and arguments stay data (C-12)."""

from pathlib import Path
from typing import Any

import pytest

from autonomy.domain.states import ErrorClass
from autonomy.testing import Bench, Tried
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

HEAD = "name: it\ndescription: It.\ntier: {tier}\nowner: me\nretries: 0\n"


def tried(project: Path, text: str, /, tier: int = 1, **args: Any) -> Tried:
    (project / "it.yaml").write_text(HEAD.format(tier=tier) + text)
    with Bench(project) as bench:
        assert bench.problems == {}
        return bench.run("it", **args)


EVIL = [
    "a b", "$(id)", "`id`", "; touch /tmp/x", "a'b\"c", "*", "~", "{name}", "a\nb", "%s", "é\u202e",
    "${arg_name}", "\\", "", "&& false",
]  # fmt: skip


def test_arguments_are_whole_words_whatever_is_in_them(project: Path) -> None:
    text = "arguments: {names: {type: array}}\nrun: [printf, --, '%s|', '{names}']\n"

    it = tried(project, text, names=EVIL)

    assert it.result == "".join(f"{name}|" for name in EVIL)


def test_arguments_of_a_script_are_in_its_environment_and_never_in_its_text(project: Path) -> None:
    text = """\
arguments: {name: string, tags: {type: array}, loud: {type: boolean}}
shell: |
  printf '%s|%s|%s' "$arg_name" "$arg_tags" "$arg_loud"
"""
    name = "$(id); `id` \" ' \n x"

    it = tried(project, text, name=name, tags=["a", "b"], loud=True)

    assert it.result == f'{name}|["a", "b"]|true'


def test_a_value_that_would_be_an_option_is_refused_unless_options_have_ended(
    project: Path,
) -> None:
    arguments = "arguments: {name: string, n: {type: integer, default: -3}}\n"

    refused = tried(project, arguments + "run: [echo, '{name}']\n", name="--help")
    taken = tried(project, arguments + "run: [printf, --, '%s', '{name}']\n", name="--help")
    number = tried(project, arguments + "run: [printf, '%s', '{n}']\n", name="x")

    assert (refused.state, refused.error_class) == ("failed", ErrorClass.PERMANENT)
    assert "put -- before {name}" in refused.why
    assert (taken.result, number.result) == ("--help", "-3")


def test_a_script_stops_at_its_first_failure_and_at_a_misspelt_argument(project: Path) -> None:
    failed = tried(project, "shell: |\n  false\n  echo done\n")
    misspelt = tried(project, "shell: |\n  echo $arg_nmae\n")

    assert (failed.state, misspelt.state) == ("failed", "failed")
    assert "arg_nmae" in misspelt.output


@pytest.mark.parametrize(
    ("more", "code", "tier", "error_class"),
    [
        ("", 3, 1, ErrorClass.TRANSIENT),
        ("result: {permanent: [3]}", 3, 1, ErrorClass.PERMANENT),
        ("result: {ok: [0, 3]}", 3, 1, None),
        ("result: {ok: [3]}", 0, 1, ErrorClass.TRANSIENT),
        ("", 3, 3, ErrorClass.PERMANENT),
        ("result: {transient: [3]}", 3, 3, ErrorClass.TRANSIENT),
        ("", 127, 1, ErrorClass.PERMANENT),
        ("once: true", 3, 1, ErrorClass.PERMANENT),
        ("once: false", 3, 3, ErrorClass.TRANSIENT),
    ],
)
def test_an_exit_code_means_what_the_file_says(
    project: Path, more: str, code: int, tier: int, error_class: ErrorClass | None
) -> None:
    it = tried(project, f"shell: exit {code}\n{more}\n", tier=tier)

    assert it.error_class == error_class


def test_a_program_that_is_not_there_is_never_tried_again(project: Path) -> None:
    it = tried(project, "run: [no-such-program]\n")

    assert it.error_class is ErrorClass.PERMANENT
    assert "no-such-program cannot be run" in it.why


def test_a_program_that_was_killed_is_told_by_its_signal(project: Path) -> None:
    assert "answered -9" in tried(project, "shell: kill -9 $$\n").why


def test_json_is_the_result_when_the_file_says_so_and_it_fits(project: Path) -> None:
    shape = "result: {as: json, schema: {type: object, required: [n]}}\n"

    good = tried(project, "run: [echo, '{{\"n\": 3}}']\n" + shape)
    misfit = tried(project, "run: [echo, '{{\"m\": 3}}']\n" + shape)
    none = tried(project, "run: [echo, n=3]\n" + shape)

    assert good.result == {"n": 3}
    assert "does not fit its schema: $: 'n' is a required property" in misfit.why
    assert "no JSON came of it" in none.why


def test_more_than_a_megabyte_of_text_is_no_result(project: Path) -> None:
    text = "limits: {output: 9MB}\nrun: [head, -c, '1500000', /dev/zero]\n"

    it = tried(project, text)

    assert "leave a file in its artifacts" in it.why


def test_a_command_is_bounded_like_every_session(project: Path) -> None:
    late = tried(project, "limits: {timeout: 1s}\nrun: [sleep, '60']\n")
    large = tried(project, "limits: {output: 10kB}\nrun: [head, -c, '1000000', /dev/zero]\n")

    assert (late.report.limit, large.report.limit) == ("wall", "output")


def test_files_beside_it_run_as_they_were_when_they_were_read(project: Path) -> None:
    (project / "say.sh").write_text("#!/bin/sh\necho first\n")
    (project / "it.yaml").write_text(
        HEAD.format(tier=1) + "files: [say.sh]\nrun: ['{ctx.here}/say.sh']\n"
    )

    with Bench(project) as bench:
        (project / "say.sh").write_text("#!/bin/sh\necho second\n")
        it = bench.run("it")

    assert it.result == "first"


def test_what_a_preflight_prints_is_the_diff_and_its_code_decides(project: Path) -> None:
    text = """\
arguments: {path: string, text: string}
run: [tee, "{path}"]
stdin: "{text}\\n"
scope: {write: ["{path}"]}
preflight:
  run: [diff, -u, "{path}", "-"]
  stdin: "{text}\\n"
  go: [1]
  summary: writes {path}
reads: ["{path}"]
verify:
  - command_answers: {argv: [cat, "{path}"], contains: "{text}"}
"""
    letter = project.parent / "letter.txt"
    letter.write_text("old\n")
    letter.chmod(0o666)

    written = tried(project, text, tier=2, path=str(letter), text="new")
    same = tried(project, text, tier=2, path=str(letter), text="new")

    assert (written.state, written.verdict, letter.read_text()) == ("done", "verified", "new\n")
    assert written.plan is not None
    assert "-old\n+new\n" in written.plan.diff
    assert written.plan.summary == f"writes {letter}"
    assert written.reads[str(letter)].startswith("sha256:")
    assert same.state == "rejected"


def test_a_verifier_in_yaml_refutes_what_is_not_so(project: Path) -> None:
    text = """\
arguments: {sha: string}
shell: printf hello > "$ARTIFACTS/out.txt"
verify:
  - file_is: {path: "{ctx.artifacts}/out.txt", sha256: "{sha}"}
  - file_is_fresh: {path: "{ctx.artifacts}/out.txt"}
"""
    right = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    assert tried(project, text, sha=right).verdict == "verified"
    assert tried(project, text, sha="0" * 64).verdict == "refuted"


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ("[{file_contains: {path: '{ctx.artifacts}/out', words: ['{name}', there]}}]", "verified"),
        ("[{file_contains: {path: '{ctx.artifacts}/out', words: [elsewhere]}}]", "refuted"),
        ("[{any_of: [{port_is_open: {port: 1}}, {file_is_fresh: {path: '{ctx.artifacts}/out'}}]}]",
         "verified"),
        ("[{all_of: [{file_is_fresh: {path: '{ctx.artifacts}/no'}}]}]", "refuted"),
        ("[{eventually: {within: 1h, of: {file_is_fresh: {path: '{ctx.artifacts}/no'}}}}]",
         "inconclusive"),
        ("[{json_matches: {path: '{ctx.artifacts}/out', schema: {type: string}}}]", "refuted"),
        ("[{command_answers: {argv: [echo, '{result}'], contains: 'x y'}}]", "verified"),
        ("[{command_answers: {argv: [cat, '{ctx.artifacts}/out'], contains: '{name}'}}]",
         "verified"),
    ],
)  # fmt: skip
def test_the_library_of_verifiers_is_there_by_name(
    project: Path, checks: str, verdict: str
) -> None:
    text = "arguments: {name: string}\n"
    text += 'shell: echo "$arg_name there" > "$ARTIFACTS/out"; echo x y\n'

    assert tried(project, f"{text}verify: {checks}\n", name="ada").verdict == verdict


def test_a_command_of_tier_2_and_3_is_run_once_whatever_became_of_its_session(
    project: Path,
) -> None:
    ground = project.parent / "ground"
    ground.mkdir()
    ground.chmod(0o777)
    text = f"""\
scope: {{write: [{ground}]}}
limits: {{timeout: 2s}}
shell: |
  echo acted >> {ground}/log
  sleep 60
"""
    (project / "it.yaml").write_text(HEAD.format(tier=3) + text)

    with Bench(project) as bench:
        first = bench.run("it")
        second = bench.again(first)

    assert (first.state, first.report.limit) == ("failed", "wall")
    assert (second.state, second.report.ambiguous) == ("held", True)
    assert (ground / "log").read_text() == "acted\n"


def test_a_command_that_says_it_did_nothing_is_run_again(project: Path) -> None:
    ground = project.parent / "ground"
    ground.mkdir()
    ground.chmod(0o777)
    text = f"""\
scope: {{write: [{ground}]}}
result: {{transient: [75]}}
shell: |
  echo tried >> {ground}/log
  test "$(wc -l < {ground}/log)" -gt 1 || exit 75
"""
    (project / "it.yaml").write_text(HEAD.format(tier=3) + text)

    with Bench(project) as bench:
        first = bench.run("it")
        second = bench.again(first)
        third = bench.again(second)

    assert first.error_class is ErrorClass.TRANSIENT
    assert (second.state, third.state) == ("done", "done")
    assert (ground / "log").read_text() == "tried\n" * 2


def test_a_broken_file_is_a_problem_beside_skills_that_work(project: Path) -> None:
    (project / "bad.yaml").write_text("name: it\ndescription: x\nteir: 1\n")
    (project / "worse.yml").write_text("- " * 50_000)
    (project / "gone.yaml").symlink_to("nowhere.yaml")
    (project / "later.workflow.yaml").write_text("steps: []")

    with_it = tried_with_problems(project, "run: [echo, good]\n")

    assert with_it[1].result == "good"
    problems = {Path(place).name: told for place, told in with_it[0].items()}
    assert problems.keys() == {"bad.yaml", "worse.yml"}
    assert "bad.yaml, line 3, column 1: there is no key 'teir' here" in problems["bad.yaml"]
    assert "TooDeep" in problems["worse.yml"]


def tried_with_problems(project: Path, text: str) -> tuple[dict[str, str], Tried]:
    (project / "it.yaml").write_text(HEAD.format(tier=1) + text)
    with Bench(project) as bench:
        return bench.problems, bench.run("it")


def test_a_name_that_a_module_has_taken_is_a_problem_with_both_places(project: Path) -> None:
    (project / "skills.py").write_text(
        "from autonomy.sdk import skill\n@skill(name='it', tier=1)\ndef it(ctx): ...\n"
    )

    problems, _ = tried_with_problems(project, "run: [echo, good]\n")

    assert list(problems) == ["skill it"]
    assert f"declared in {project} and again in {project / 'it.yaml'}" in problems["skill it"]
