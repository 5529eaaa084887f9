"""Personal tokens: shown once, kept as a hash, revocable."""

import pytest
from django.contrib.auth.models import User

from autonomy.domain.redaction import Redactor
from console.models import Token
from console.services import TokenRefused, issue_token, keep_token, person_of, revoke_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def test_a_token_stands_for_its_person(ada: User) -> None:
    token = issue_token(ada, "laptop")

    assert person_of(token) == ada


def test_the_database_does_not_hold_the_token(ada: User) -> None:
    token = issue_token(ada, "laptop")

    kept = Token.objects.get()
    assert token not in (kept.sha256, kept.prefix, kept.name)
    assert len(kept.prefix) * 4 < len(token)


def test_a_token_with_one_character_changed_is_refused(ada: User) -> None:
    token = issue_token(ada, "laptop")
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")

    with pytest.raises(TokenRefused):
        person_of(forged)


@pytest.mark.parametrize("token", ["", "x", "\0", "é" * 50, "\udcff"])
def test_nonsense_is_refused_as_a_token(ada: User, token: str) -> None:
    issue_token(ada, "laptop")

    with pytest.raises(TokenRefused):
        person_of(token)


def test_a_revoked_token_is_refused(ada: User) -> None:
    token = issue_token(ada, "laptop")

    assert revoke_token(Token.objects.get())

    with pytest.raises(TokenRefused):
        person_of(token)
    assert not revoke_token(Token.objects.get())


def test_a_person_who_was_put_out_cannot_use_a_token(ada: User) -> None:
    token = issue_token(ada, "laptop")
    User.objects.filter(pk=ada.pk).update(is_active=False)

    with pytest.raises(TokenRefused):
        person_of(token)


def test_use_is_noted_but_not_at_every_request(ada: User) -> None:
    token = issue_token(ada, "laptop")

    person_of(token)
    first = Token.objects.get().last_used_at
    person_of(token)

    assert first is not None
    assert Token.objects.get().last_used_at == first


def test_a_token_kept_again_is_the_same_one(ada: User) -> None:
    keep_token(ada, "command line", "a-token-made-by-the-host-123456")
    keep_token(ada, "command line", "a-token-made-by-the-host-123456")

    assert Token.objects.count() == 1


def test_a_fresh_token_ends_the_older_one_of_the_same_name(ada: User) -> None:
    keep_token(ada, "command line", "old-token-made-by-the-host-123456")
    keep_token(ada, "command line", "new-token-made-by-the-host-123456")

    assert person_of("new-token-made-by-the-host-123456") == ada
    with pytest.raises(TokenRefused):
        person_of("old-token-made-by-the-host-123456")


def test_a_revoked_token_is_not_taken_back(ada: User) -> None:
    kept = keep_token(ada, "command line", "a-token-made-by-the-host-123456")
    revoke_token(kept)

    with pytest.raises(TokenRefused, match="fresh one"):
        keep_token(ada, "command line", "a-token-made-by-the-host-123456")


def test_a_token_is_known_for_one_wherever_it_turns_up(ada: User) -> None:
    token = issue_token(ada, "laptop")

    assert token not in Redactor().text(f"curl -H 'X: {token}'")
