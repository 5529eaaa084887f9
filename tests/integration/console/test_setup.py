"""Set-up: run at every start, changes nothing the second time, refuses another key."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from console.models import Fingerprint, Token
from console.services import SecretChanged, check_fingerprint, person_of, revoke_token

pytestmark = pytest.mark.django_db

TOKEN = "a-token-made-by-the-host-123456"


@pytest.fixture(autouse=True)
def _given_by_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTONOMY_OPERATOR_PASSWORD", "correct horse battery")
    monkeypatch.setenv("AUTONOMY_OPERATOR_TOKEN", TOKEN)


def test_set_up_makes_an_operator_who_may_decide_every_tier() -> None:
    call_command("setup")

    operator = User.objects.get(username="operator")
    assert operator.check_password("correct horse battery")
    assert operator.is_staff
    assert not operator.is_superuser
    assert operator.groups.filter(name="admin").exists()
    assert all(operator.has_perm(f"firewall.approve_tier_{tier}") for tier in (1, 2, 3))
    assert person_of(TOKEN) == operator


def test_set_up_run_again_changes_nothing() -> None:
    call_command("setup")
    User.objects.get(username="operator").groups.clear()
    before = _accounts()

    call_command("setup")

    assert _accounts() == before
    assert not User.objects.get(username="operator").groups.exists()


def _accounts() -> list[object]:
    return [*User.objects.values(), *Token.objects.values("sha256", "revoked_at")]


def test_a_password_that_was_changed_stays_changed() -> None:
    call_command("setup")
    operator = User.objects.get(username="operator")
    operator.set_password("another password entirely")
    operator.save()

    call_command("setup")

    assert User.objects.get(username="operator").check_password("another password entirely")


def test_without_a_password_nobody_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTONOMY_OPERATOR_PASSWORD")

    call_command("setup")

    assert not User.objects.get(username="operator").has_usable_password()


def test_a_revoked_token_of_the_host_is_told_with_the_way_out() -> None:
    call_command("setup")
    revoke_token(Token.objects.get())

    with pytest.raises(CommandError, match=r"Delete that file and start again"):
        call_command("setup")


def test_another_secret_key_is_refused_with_the_way_out(settings: Settings) -> None:
    call_command("setup")
    settings.SECRET_KEY = "another key"

    with pytest.raises(CommandError, match=r"Put the old one back"):
        call_command("setup")


def test_a_fingerprint_does_not_hold_the_secret() -> None:
    check_fingerprint("SECRET_KEY", "the secret")

    assert "the secret" not in Fingerprint.objects.get().value
    check_fingerprint("SECRET_KEY", "the secret")
    with pytest.raises(SecretChanged):
        check_fingerprint("SECRET_KEY", "the Secret")
