"""The bytes that are approved: the same everywhere, and different for anything different."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785

from firewall.domain.action import Action, canonical, digest, moment

ACTION = Action(
    skill="mail.send",
    version="1f3a",
    args={"to": "ada@example.org", "subject": "Grüße", "amount": 10.0, "attach": ["a.pdf"]},
    scope={"read": [], "write": ["outbox"], "network": True},
    tier=3,
    reads={"a.pdf": "ab" * 32},
    idempotency_key="0190a000-0000-7000-8000-00000000000a",
    expires_at="2026-01-02T03:04:05+00:00",
)


def test_the_canonical_form_is_written_down() -> None:
    assert canonical(ACTION).decode() == (
        '{"args":{"amount":10,"attach":["a.pdf"],"subject":"Grüße","to":"ada@example.org"},'
        '"document":"action/1","expires_at":"2026-01-02T03:04:05.000000+00:00",'
        '"idempotency_key":"0190a000-0000-7000-8000-00000000000a",'
        f'"reads":{{"a.pdf":"{"ab" * 32}"}},'
        '"scope":{"network":true,"read":[],"write":["outbox"]},'
        '"skill":"mail.send","tier":3,"version":"1f3a"}'
    )


def test_the_digest_does_not_change_between_releases() -> None:
    assert digest(ACTION) == "40b7afc6a2890c30b08407aba55c1d5895cf6635675e5c2b08a3d139186d763c"


def test_order_and_zone_make_no_difference() -> None:
    args = dict(reversed([*ACTION.args.items()]))
    elsewhere = datetime(2026, 1, 1, 20, 4, 5, tzinfo=timezone(timedelta(hours=-7))).isoformat()

    assert digest(replace(ACTION, args=args, expires_at=elsewhere)) == digest(ACTION)


@pytest.mark.parametrize(
    "change",
    [
        {"skill": "mail.send_all"},
        {"version": "1f3b"},
        {"args": {**ACTION.args, "to": "eve@example.org"}},
        {"args": {**ACTION.args, "amount": 10.01}},
        {"args": {**ACTION.args, "amount": "10"}},
        {"args": {**ACTION.args, "host": "example.net"}},
        {"args": {k: v for k, v in ACTION.args.items() if k != "attach"}},
        {"args": {**ACTION.args, "subject": "Gru\u0308\u00dfe"}},
        {"args": {**ACTION.args, "to": "ada@example.org\u200b"}},
        {"scope": {**ACTION.scope, "write": ["outbox", "/"]}},
        {"tier": 2},
        {"reads": {"a.pdf": "ac" * 32}},
        {"reads": {}},
        {"idempotency_key": "another"},
        {"expires_at": "2026-01-02T03:04:05.000001+00:00"},
        {"expires_at": ""},
    ],
    ids=str,
)
def test_anything_that_changes_what_runs_changes_the_digest(change: dict[str, Any]) -> None:
    assert digest(replace(ACTION, **change)) != digest(ACTION)


@pytest.mark.parametrize("number", [2**53, 10**40, -(10**40)])
def test_a_number_that_canonical_json_has_no_form_for_is_kept_exactly(number: int) -> None:
    action = replace(ACTION, args={"n": number})

    assert str(number) in canonical(action).decode()
    assert digest(action) != digest(replace(ACTION, args={"n": number + 1}))
    assert digest(action) != digest(replace(ACTION, args={"n": str(number)}))


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(replace(ACTION, args={"n": float("nan")}))


def test_a_moment_is_written_in_one_way() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 60, UTC)

    assert moment(at) == "2026-01-02T03:04:05.000060+00:00"
    assert moment(moment(at)) == moment(at)
    assert moment("") == ""
