"""The key under which one thing that was noticed is worked on."""

from hypothesis import given
from hypothesis import strategies as st

from heartbeats.domain.keys import MAX_CHARS, dedupe_key

names = st.text(min_size=1, max_size=190)
keys = st.text(min_size=1, max_size=200)


def test_a_short_key_can_be_read() -> None:
    assert dedupe_key("disk", "/data") == "disk:/data"


@given(names, keys)
def test_a_key_always_fits_its_column(watch: str, key: str) -> None:
    assert len(dedupe_key(watch, key)) <= MAX_CHARS


@given(names, keys, keys)
def test_different_things_have_different_keys(watch: str, one: str, other: str) -> None:
    assert (dedupe_key(watch, one) == dedupe_key(watch, other)) == (one == other)
