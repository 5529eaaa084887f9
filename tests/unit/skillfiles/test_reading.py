"""YAML of strangers becomes plain values, or a problem with its place."""

from typing import Any

import pytest

from autonomy.skillfiles.errors import (
    AliasRefused,
    BadSkillFile,
    DuplicateKey,
    FileTooLarge,
    NotYaml,
    Place,
    TagRefused,
    TooDeep,
    WrongValue,
)
from autonomy.skillfiles.reading import read


def nested(levels: int) -> str:
    return "a: " + "[" * levels + "]" * levels


BOMB = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("012", "012"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("'3'", "3"),
        ('"true"', "true"),
        ("|\n  3\n", "3\n"),
        ("3", 3),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("~", None),
        ("", None),
        ("[1, two, ~]", [1, "two", None]),
        ("{b: {c: d}}", {"b": {"c": "d"}}),
    ],
)
def test_scalars_are_what_they_are_in_json_and_else_text(text: str, value: Any) -> None:
    assert read(f"a: {text}".encode()).value == {"a": value}


@pytest.mark.parametrize(
    ("content", "kind", "place"),
    [
        (b"tier: 3\nname: x\ntier: 1", DuplicateKey, Place(3, 1)),
        (b"a: {b: 1, b: 2}", DuplicateKey, Place(1, 11)),
        (b"a: &x [1]\nb: *x", AliasRefused, Place(1, 4)),
        (b"a: 1\n<<: {b: 1}", AliasRefused, Place(2, 1)),
        (BOMB.encode(), AliasRefused, Place(1, 4)),
        (b"a: !!python/object/apply:os.system ['id']", TagRefused, Place(1, 4)),
        (b"!!python/name:os.system x: 1", TagRefused, Place(1, 1)),
        (b"a: !!int '3'", TagRefused, Place(1, 4)),
        (nested(21).encode(), TooDeep, Place(1, 24)),
        (nested(20_000).encode(), TooDeep, Place(1, 24)),
        (b"- " * 40_000, TooDeep, Place(1, 43)),
        (b"a: 1\n" * 30_000, FileTooLarge, None),
        (b"a: [" + b"x, " * 6_000 + b"]", FileTooLarge, Place(1, 14_996)),
        (b"a: [1", NotYaml, Place(1, 6)),
        (b"a:\n\t- 1", NotYaml, Place(2, 1)),
        (b"a: 1\n---\nb: 2", NotYaml, Place(2, 1)),
        (b"? [1]\n: 2", NotYaml, Place(1, 3)),
        (b"a: \xff", NotYaml, None),
        (b"a: \x00", NotYaml, None),
        (b'a: "\\0"', WrongValue, Place(1, 4)),
        (b'a: "\\ud800"', WrongValue, Place(1, 4)),
    ],
)
def test_what_is_not_plain_is_a_problem_with_its_place(
    content: bytes, kind: type[BadSkillFile], place: Place | None
) -> None:
    with pytest.raises(kind) as raised:
        read(content)

    assert raised.value.place == place
    assert raised.value.told("x.yaml").startswith(f"{kind.__name__}: x.yaml")


def test_an_older_version_of_yaml_changes_nothing() -> None:
    assert read(b"%YAML 1.1\n---\na: yes\nb: 010").value == {"a": "yes", "b": "010"}


def test_the_place_of_every_key_and_value_is_kept() -> None:
    document = read(b"name: x\nrun:\n  - echo\n  - {a: 1}\n")

    assert document.keys["run",] == Place(2, 1)
    assert document.values["run", 0] == Place(3, 5)
    assert document.keys["run", 1, "a"] == Place(4, 6)
