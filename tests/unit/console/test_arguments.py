"""Words of the command line become arguments by the types the schema names."""

import pytest

from console.cli.arguments import BadArgument, read

SCHEMA = {
    "properties": {
        "path": {"type": "string"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "count": {"type": "integer"},
        "deep": {"type": "boolean"},
        "names": {"type": "array"},
    }
}


def test_a_text_stays_text_even_when_it_looks_like_a_number() -> None:
    assert read(["path=007", "maybe=null"], "", SCHEMA) == {"path": "007", "maybe": "null"}


def test_other_types_are_read_as_json() -> None:
    given = read(["count=3", "deep=true", 'names=["a", "b"]'], "", SCHEMA)

    assert given == {"count": 3, "deep": True, "names": ["a", "b"]}


def test_a_value_may_hold_an_equals_sign() -> None:
    assert read(["path=a=b"], "", SCHEMA) == {"path": "a=b"}


def test_words_win_over_the_document() -> None:
    assert read(["count=3"], '{"count": 1, "path": "x"}', SCHEMA) == {"count": 3, "path": "x"}


def test_what_cannot_be_read_is_left_for_the_schema_to_refuse() -> None:
    assert read(["count=many"], "", SCHEMA) == {"count": "many"}


@pytest.mark.parametrize("word", ["path", "=x", ""])
def test_a_word_that_is_no_pair_is_refused_with_the_form(word: str) -> None:
    with pytest.raises(BadArgument, match="KEY=VALUE"):
        read([word], "", SCHEMA)


@pytest.mark.parametrize("document", ["{", "[1]", '"x"', "1"])
def test_a_document_that_is_no_object_is_refused(document: str) -> None:
    with pytest.raises(BadArgument, match="--args"):
        read([], document, SCHEMA)
