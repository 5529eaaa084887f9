"""The words of a command, before anything is run."""

import pytest

from autonomy.sdk.errors import Permanent
from autonomy.skillfiles.codes import codes_of_command, codes_of_http
from autonomy.skillfiles.commands import Command, command_of
from autonomy.skillfiles.shape import Result

KNOWN = frozenset({"name", "names", "ctx.folder"})


def command(*words: str) -> Command:
    return command_of(list(words), None, None, known=KNOWN, files={}, at=())


def test_an_argument_is_one_word_also_inside_of_one() -> None:
    line = command("tar", "--file={name}", "-C", "{ctx.folder}").line(
        {"name": "a b", "ctx": {"folder": "/f"}}
    )

    assert line == ["tar", "--file=a b", "-C", "/f"]


def test_a_list_that_stands_alone_is_a_word_for_each_item() -> None:
    assert command("ls", "--", "{names}").line({"names": ["a", "-b", 3]}) == [
        "ls", "--", "a", "-b", "3",
    ]  # fmt: skip


def test_a_list_inside_a_word_is_json() -> None:
    assert command("echo", "x={names}").line({"names": ["a"]}) == ["echo", 'x=["a"]']


def test_braces_may_be_written_twice() -> None:
    assert command("echo", "{{name}}").line({"name": "x"}) == ["echo", "{name}"]


@pytest.mark.parametrize("words", [("ls", "{name}"), ("ls", "{name}x"), ("ls", "{names}")])
def test_a_value_that_would_be_an_option_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(Permanent, match="would be taken for an option"):
        command(*words).line({"name": "-rf", "names": ["a", "-rf"]})


def test_a_nul_is_no_part_of_a_word() -> None:
    with pytest.raises(Permanent, match="NUL"):
        command("ls", "{name}").line({"name": "a\0b"})


@pytest.mark.parametrize(
    ("status", "again", "once"),
    [
        (200, "ok", "ok"), (301, "permanent", "permanent"), (404, "permanent", "permanent"),
        (429, "transient", "transient"), (500, "transient", "unclear"),
        (501, "permanent", "unclear"), (503, "transient", "transient"),
    ],
)  # fmt: skip
def test_after_an_error_of_the_service_only_what_may_be_repeated_is(
    status: int, again: str, once: str
) -> None:
    assert codes_of_http(Result(), once=False).meaning(status).value == again
    assert codes_of_http(Result(), once=True).meaning(status).value == once


@pytest.mark.parametrize("code", [1, -9, 255])
def test_a_command_that_failed_is_repeated_only_where_it_may_be(code: int) -> None:
    assert codes_of_command(Result(), once=False).meaning(code).value == "transient"
    assert codes_of_command(Result(), once=True).meaning(code).value == "permanent"


def test_an_exact_code_counts_for_more_than_its_class() -> None:
    result = Result.model_validate({"ok": ["2xx", "404"], "permanent": ["4xx"]})

    codes = codes_of_http(result, once=False)

    assert [codes.meaning(code).value for code in (204, 404, 410)] == ["ok", "ok", "permanent"]
