"""`shell.run` and `python.run`: what somebody wrote runs alone, and proves nothing by its words."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy import skills
from autonomy.domain.isolation import Rung
from autonomy.domain.states import ErrorClass
from autonomy.testing import Bench, Tried
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only

SHIPPED = Path(skills.__file__).parent
HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(SHIPPED) as running:
        assert running.problems == {}
        yield running


def shell(bench: Bench, command: str, **more: Any) -> Tried:
    return bench.run("shell.run", command=command, **more)


def python(bench: Bench, source: str, **more: Any) -> Tried:
    return bench.run("python.run", source=source, **more)


def test_both_wait_for_a_person_and_for_a_machine_that_cuts_them_off(bench: Bench) -> None:
    for name in ("shell.run", "python.run"):
        loaded = bench.skills[name]
        assert loaded.tier == 3
        assert loaded.declaration["foreign_code"]
        assert loaded.declaration["isolation"] >= Rung.NETWORK


@pytest.mark.parametrize("strongest", [Rung.PROCESS, Rung.FILES])
@pytest.mark.parametrize(
    ("name", "args"),
    [("shell.run", {"command": "touch $ARTIFACTS/x"}), ("python.run", {"source": "result = 1"})],
)
def test_where_files_and_network_cannot_be_cut_off_nothing_is_run(
    strongest: Rung, name: str, args: dict[str, Any]
) -> None:
    with Bench(SHIPPED, strongest=strongest) as weak:
        tried = weak.run(name, **args)

    assert (tried.state, tried.report.ended) == ("failed", "refused")
    assert "needs isolation 2 (network)" in tried.why
    assert tried.artifacts == {}


def test_the_person_who_decides_sees_the_exact_text(bench: Bench) -> None:
    command = "echo start\n" + "\n" * 500 + "rm -rf / # 'quoted' {braces}\n"
    source = "print(1)\n" * 2_000 + "import os; os.abort()\n"

    script, snippet = shell(bench, command).plan, python(bench, source, args={"a": "b"}).plan

    assert script is not None
    assert snippet is not None
    assert script.diff == command
    assert snippet.diff == source + '\n# --- args\n{\n  "a": "b"\n}'


@pytest.mark.parametrize("command", ["if true", "echo 'open", ")"])
def test_a_script_that_cannot_be_read_is_rejected_before_anybody_is_asked(
    bench: Bench, command: str
) -> None:
    tried = shell(bench, command)

    assert tried.state == "rejected"
    assert "cannot be read as a script" in tried.why


def test_a_snippet_that_is_no_python_is_rejected_before_anybody_is_asked(bench: Bench) -> None:
    tried = python(bench, "def f(:\n  pass")

    assert tried.state == "rejected"
    assert "is no Python: invalid syntax (snippet, line 1)" in tried.why


def test_a_script_answers_with_its_exit_and_the_end_of_its_output(bench: Bench) -> None:
    tried = shell(bench, "seq 100000; cat; echo last >&2", stdin="from stdin\n")

    assert tried.result["exit"] == 0
    assert tried.result["tail"].endswith("99999\n100000\nfrom stdin\nlast\n")
    assert tried.result["truncated"]
    assert len(tried.result["tail"]) == 8_000


def test_a_snippet_takes_json_and_gives_json(bench: Bench) -> None:
    tried = python(bench, "result = {'sum': sum(args['n'])}", args={"n": [1, 2, 3.5]})

    assert tried.result["result"] == {"sum": 6.5}


@pytest.mark.parametrize(
    "source", ["result = float('nan')", "result = {1, 2}", "raise SystemExit(4)", "1 / 0"]
)
def test_a_snippet_that_fails_fails_for_good(bench: Bench, source: str) -> None:
    tried = python(bench, source)

    assert (tried.state, tried.error_class) == ("failed", ErrorClass.PERMANENT)


def test_a_snippet_that_leaves_has_no_result(bench: Bench) -> None:
    assert python(bench, "raise SystemExit(0)").result["result"] is None


def test_a_result_that_is_a_pipe_or_a_link_is_not_read(bench: Bench) -> None:
    lie = "import os, sys\nos.symlink('/etc/hostname', sys.argv[3])\nos._exit(0)"
    pipe = "import os, sys\nos.mkfifo(sys.argv[3])\nos._exit(0)"

    for source in (lie, pipe):
        assert "its result cannot be read" in python(bench, source).why


def test_too_large_a_result_is_refused(bench: Bench) -> None:
    assert "leave a file instead" in python(bench, "result = 'x' * 1_000_000").why


def test_a_failed_command_fails_unless_its_exit_was_expected(bench: Bench) -> None:
    failed = shell(bench, "echo why; exit 3")
    expected = shell(bench, "exit 3", expect={"exit": 3})
    wrong = shell(bench, "exit 0", expect={"exit": 3})

    assert (failed.state, failed.error_class) == ("failed", ErrorClass.PERMANENT)
    assert "it exited with 3, not 0: why" in failed.why
    assert expected.state == "done"
    assert wrong.state == "failed"


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ({}, "unverified"),
        ({"exit": 0}, "unverified"),
        ({"output": "hello"}, "unverified"),
        ({"output": "goodbye"}, "refuted"),
        ({"files": [{"name": "out.txt", "sha256": HELLO}]}, "verified"),
        ({"files": [{"name": "out.txt", "contains": "hell"}]}, "verified"),
        ({"files": [{"name": "out.txt", "sha256": "0" * 64}]}, "refuted"),
        ({"files": [{"name": "out.txt", "contains": "goodbye"}]}, "refuted"),
        ({"files": [{"name": "other.txt", "contains": "x"}]}, "refuted"),
        ({"files": [{"name": "link", "contains": "root"}]}, "refuted"),
        ({"output": "goodbye", "files": [{"name": "out.txt", "sha256": HELLO}]}, "refuted"),
    ],
    ids=str,
)
def test_words_prove_nothing_and_files_do(
    bench: Bench, expect: dict[str, Any], verdict: str
) -> None:
    command = 'printf hello | tee "$ARTIFACTS/out.txt"; ln -s /etc/passwd "$ARTIFACTS/link"'

    assert shell(bench, command, expect=expect).verdict == verdict


def test_an_old_file_with_the_right_words_is_no_proof(bench: Bench) -> None:
    command = 'printf hello > "$ARTIFACTS/out.txt"; touch -d 2020-01-01 "$ARTIFACTS/out.txt"'

    tried = shell(bench, command, expect={"files": [{"name": "out.txt", "sha256": HELLO}]})

    assert tried.verdict == "refuted"


@pytest.mark.parametrize(
    "expect", [{"files": [{"name": "x"}]}, {"files": [{"name": "x", "sha256": "1"}]}, {"more": 1}]
)
def test_an_expectation_that_says_nothing_is_refused(bench: Bench, expect: dict[str, Any]) -> None:
    assert "expect" in shell(bench, "true", expect=expect).why


STEALS = {
    "a file of the machine": "cat /etc/shadow",
    "a home": "ls /root",
    "another process": "cat /proc/1/environ",
    "what is outside of its folder": "echo x > /usr/local/evil",
    "the environment of the node": "env | grep -i -e secret -e password -e DATABASE",
    "the name of a host": "getent hosts example.com",
}


@pytest.mark.parametrize("command", STEALS.values(), ids=STEALS.keys())
def test_nothing_outside_can_be_had(bench: Bench, command: str) -> None:
    assert shell(bench, command).state == "failed"


def test_not_even_the_node_can_be_reached(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        source = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)"

        assert python(bench, source).state == "failed"


def test_the_session_that_runs_it_cannot_be_spoken_for(bench: Bench) -> None:
    source = """
import os
for fd in range(3, 200):
    try:
        os.write(fd, b"x")
    except OSError:
        continue
    raise SystemExit(f"descriptor {fd} is open")
"""
    assert python(bench, source).state == "done"


def test_it_is_bounded_like_every_session(bench: Bench) -> None:
    tried = shell(bench, "yes")

    assert (tried.report.ended, tried.report.limit) == ("resource", "output")
