"""No secret survives, whole or in pieces, and what is none stays as it is."""

import base64
import json
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.redaction import HIDDEN, LOOK_BACK, Redactor, Scan, given_secrets

KEY = "q7Zk-93hXv_pLw02mNcR5tYb8uJd1sEf"
PHRASE = "correct horse battery staple"
PASSWORD = "p/w+d&%7"
HIDE = Redactor([KEY, PHRASE, PASSWORD])

SHAPED = [
    "sk-abcdefghijklmnopqrstuvwx",
    "sk_live_abcdefghijklmnop1234",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0123456789_abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdefghij",
    "AIzaSyA1234567890abcdefghijklmnopqrstu",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "aut_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
]
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEow' * 20}\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize("secret", SHAPED)
@pytest.mark.parametrize("around", ["{}", "a {} b", '{{"x": "{}"}}', "header=({})\n", "u?k={}&n=1"])
def test_what_has_the_form_of_a_secret_is_hidden(secret: str, around: str) -> None:
    shown = Redactor().text(around.format(secret))

    assert secret not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter22 user=ada", f"password={HIDDEN} user=ada"),
        ("DB_PASSWORD: hunter22", f"DB_PASSWORD: {HIDDEN}"),
        ('{"api_key": "abcd efgh", "n": 1}', f'{{"api_key": "{HIDDEN}", "n": 1}}'),
        ("{'client_secret': 'abcd efgh'}", f"{{'client_secret': '{HIDDEN}'}}"),
        ("SECRET_KEY=abcdefgh\\x00PATH=/bin", f"SECRET_KEY={HIDDEN}"),
        ("Authorization: Bearer abcdefgh", f"Authorization: Bearer {HIDDEN}"),
        ("X-Api-Key: abcdefgh", f"X-Api-Key: {HIDDEN}"),
        ("postgresql://ada:pw@db:5432/x", f"postgresql://ada:{HIDDEN}@db:5432/x"),
        ("redis://:pw@127.0.0.1:6379/0", f"redis://:{HIDDEN}@127.0.0.1:6379/0"),
    ],
)
def test_what_stands_under_the_name_of_a_secret_is_hidden(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "tokens: 12345, max_tokens=4096",
        "token: None",
        "the key is under the mat; the secret of it is simple",
        "https://example.org/a:b@c",
        "task 0190f3c2-7a1b-7c3d-9e4f-123456789abc failed",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "def greet(name: str) -> str:",
        "....F..s....",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert HIDE.text(text) == text


@pytest.mark.parametrize("value", [KEY, PHRASE, PASSWORD])
@pytest.mark.parametrize(
    "written",
    [
        str,
        repr,
        json.dumps,
        lambda v: quote(v, safe=""),
        lambda v: f"x{v}y",
        lambda v: f"at {v}: no",
    ],
)
def test_a_known_value_is_hidden_however_it_is_written(value: str, written: object) -> None:
    text = written(value)  # type: ignore[operator]

    assert value not in HIDE.text(text)
    assert quote(value, safe="") not in HIDE.text(text)


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "user1:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_known_value_is_found_inside_base64(before: str, encode: object) -> None:
    text = encode(f"{before}{KEY}@host".encode()).decode()  # type: ignore[operator]

    shown = HIDE.text(f"Basic {text}")

    assert text not in shown
    assert HIDDEN in shown


def test_a_private_key_is_hidden_line_by_line() -> None:
    assert Redactor().text(f"a\n{PEM}b") == f"a\n-----{HIDDEN} RSA PRIVATE KEY-----\nb"


def test_a_known_value_of_many_lines_is_hidden_in_each_of_them() -> None:
    lines = ["abcdefghijkl0123", "ZYXWVUTSRQPO9876"]

    shown = Redactor(["\n".join(lines)]).text(f"  {lines[1]}\r\n{lines[0]}")

    assert shown == f"  {HIDDEN}\r\n{HIDDEN}"


def test_redacting_twice_changes_nothing_more() -> None:
    text = f"password={KEY} Authorization: Bearer {KEY} {PHRASE} postgres://a:{KEY}@b"

    once = HIDE.text(text)

    assert HIDE.text(once) == once


WRITTEN = [
    *((secret, secret) for secret in [KEY, PHRASE, PASSWORD, *SHAPED]),
    ("password='a b c d e f g'", "a b c d e f g"),
    ("Authorization: Bearer abcdefghijklmnopqrs", "abcdefghijklmnopqrs"),
    (PEM, "MIIEow"),
]
"""What is printed, and what of it may not be seen."""


@given(
    written=st.sampled_from(WRITTEN),
    before=st.sampled_from(["", "x ", "key ", "a=", "(", "\n", "text and then\n", "."]),
    after=st.sampled_from(["", " y", "\n", ")", "\nmore\n"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_a_secret_that_is_cut_anywhere_is_found(
    written: tuple[str, str], before: str, after: str, cuts: list[int]
) -> None:
    text, secret = before + written[0] + after, written[1]
    stream = HIDE.stream()

    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    shown = "".join(stream.feed(text[a:b]) for a, b in pairwise(places))
    shown += stream.end()

    assert _longest_shared(shown, secret) < min(6, len(secret))
    assert shown.startswith(before.rstrip("(a=.") or "")


def test_a_secret_that_comes_one_character_at_a_time_is_found() -> None:
    text = f"first line\nDATABASE_URL=postgres://ada:{KEY}@db {PHRASE} {SHAPED[0]} last\n"
    stream = HIDE.stream()

    shown = "".join(map(stream.feed, text)) + stream.end()

    assert shown == f"first line\nDATABASE_URL=postgres://ada:{HIDDEN}@db {HIDDEN} {HIDDEN} last\n"


def test_lines_and_dots_are_shown_at_once() -> None:
    stream = HIDE.stream()

    assert stream.feed("a line\n") == "a line\n"
    assert stream.feed("....") == "...."
    assert stream.feed("\nLoading the mod") == "\nLoading the "
    assert stream.feed("el\n") == "model\n"


def test_a_stream_keeps_little_back_however_long_a_word_is() -> None:
    stream = HIDE.stream()

    shown = sum(len(stream.feed("A" * 4096)) for _ in range(250))

    assert 250 * 4096 - shown <= LOOK_BACK
    assert len(stream.end()) == 250 * 4096 - shown


def test_a_known_value_inside_one_endless_word_is_found() -> None:
    text = "B" * 20_000 + KEY + "C" * 20_000
    for size in (61, 4096, 8191, 8192, 8193):
        stream = HIDE.stream()

        shown = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))

        assert KEY not in shown + stream.end()


@pytest.mark.parametrize("secret", [KEY, PHRASE, SHAPED[0]])
@pytest.mark.parametrize("at", [3, 10, 17, 24])
def test_half_a_secret_beside_a_cut_is_not_shown(secret: str, at: int) -> None:
    for cut in ("\n[… 900 characters left out …]\n", "[… 900 characters not shown …]\n"):
        shown = HIDE.text(f"begin {secret[:at]}{cut}{secret[at:]} end")

        assert secret[:at] not in shown.split("[…")[0].removeprefix("begin")
        assert secret[at:] not in shown
        assert "900 characters" in shown
        assert shown.startswith("begin")
        assert shown.endswith(" end")


def test_half_a_secret_beside_a_cut_in_a_stream_is_not_shown() -> None:
    text = f"begin {KEY[:20]}[… 900 characters not shown …]\n{KEY[20:]} end\n"
    for size in (1, 3, 11, 30):
        stream = HIDE.stream()

        shown = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))
        shown += stream.end()

        assert KEY[:20] not in shown
        assert KEY[20:] not in shown


def test_json_is_redacted_by_key_and_by_value() -> None:
    value = {
        "user": "ada",
        "password": "x",
        "nested": [{"apiKey": 12, "access-token": ["a"], "on": True}],
        "text": f"it was {KEY}",
        KEY: 1,
        "secret": None,
        "token_count": 7,
    }

    assert HIDE.value(value) == {
        "user": "ada",
        "password": HIDDEN,
        "nested": [{"apiKey": HIDDEN, "access-token": HIDDEN, "on": True}],
        "text": f"it was {HIDDEN}",
        HIDDEN: 1,
        "secret": None,
        "token_count": 7,
    }


def test_data_of_tasks_loses_only_known_values() -> None:
    value = {"password": "theirs", "key": SHAPED[0], "note": f"<{KEY}>"}

    assert HIDE.known(value) == {"password": "theirs", "key": SHAPED[0], "note": f"<{HIDDEN}>"}


def test_values_that_are_nested_too_deep_are_hidden_whole() -> None:
    value: object = KEY
    for _ in range(500):
        value = [value]

    assert KEY not in json.dumps(HIDE.value(value))


def test_what_a_session_is_given_under_the_name_of_a_secret_is_known() -> None:
    args = {"password": "abc123", "deep": [{"token": "def456", "n": {"api_key": 7}}], "x": "y"}

    assert given_secrets(args) == {"abc123", "def456"}


def test_one_that_knows_more_forgets_nothing() -> None:
    more = HIDE.also(["another value"])

    assert more.text(f"{KEY} another value") == f"{HIDDEN} {HIDDEN}"
    assert HIDE.also([KEY]) is HIDE


def test_values_too_short_to_tell_apart_are_not_looked_for() -> None:
    assert Redactor(["", "c", "abcde"]).text("abcde c") == "abcde c"


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_bytes_are_searched_across_pieces(size: int) -> None:
    data = b"\0\xff" * 500 + KEY.encode() + b"\x80" * 100
    scan = Scan(HIDE)
    for at in range(0, len(data), size):
        scan.feed(data[at : at + size])

    assert scan.found
    clean = Scan(HIDE)
    clean.feed(data.replace(KEY.encode(), b""))
    assert not clean.found


@pytest.mark.parametrize(
    "evil", ["eyJ", "token=", "://:", PEM[:31], "sk-", "password: '", "[… ", "BEGIN ", "Bearer "]
)
def test_no_text_makes_the_search_go_round_in_circles(evil: str) -> None:
    text = evil * (1_000_000 // len(evil))
    stream = HIDE.stream()

    shown = HIDE.text(text)
    streamed = sum(len(stream.feed(text[at : at + 4096])) for at in range(0, len(text), 4096))

    assert len(shown) <= 2 * len(text)
    assert streamed <= 2 * len(text)


def _longest_shared(shown: str, secret: str) -> int:
    """How much of the secret is left in one piece."""
    ends = range(len(secret), 0, -1)
    return next(
        (n for n in ends if any(secret[a : a + n] in shown for a in range(len(secret) - n + 1))), 0
    )
