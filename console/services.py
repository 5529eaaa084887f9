"""Personal tokens, the first operator, and the fingerprints of secrets."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from console.models import Fingerprint, Token

_PREFIX = "aut_"  # by which a token is known for one wherever it turns up
_SHOWN = 9  # of 47 characters: enough to tell tokens apart, far too few to guess the rest
_USE_NOTED_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """The token is unknown, revoked, or its person may not sign in."""


class SecretChanged(Exception):
    """A secret is not the one this database was set up with."""


def issue_token(user: User, name: str) -> str:
    """A fresh token of that person. This is the only time it can be read."""
    token = _PREFIX + secrets.token_urlsafe(32)
    keep_token(user, name, token)
    return token


def keep_token(user: User, name: str, token: str) -> Token:
    """Accept a token made elsewhere; it takes the place of the person's live ones of that name."""
    with transaction.atomic():
        kept, _ = Token.objects.get_or_create(
            sha256=_hash(token), defaults={"user": user, "name": name, "prefix": token[:_SHOWN]}
        )
        if kept.user_id != user.pk or kept.revoked_at:
            raise TokenRefused("this token was revoked or is someone else's; make a fresh one")
        live = Token.objects.filter(user=user, name=name, revoked_at=None)
        live.exclude(pk=kept.pk).update(revoked_at=Now())
    return kept


def revoke_token(token: Token) -> bool:
    """End a token; False when it had ended already."""
    return bool(Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now()))


def person_of(token: str) -> User:
    """The person a token stands for; raises TokenRefused."""
    # Found by its hash, to which nobody can steer: how long the search takes tells nothing.
    live = Token.objects.filter(sha256=_hash(token), revoked_at=None, user__is_active=True)
    kept = live.select_related("user").first()
    if kept is None:
        raise TokenRefused("the token is unknown or revoked")
    _note_use(kept)
    return kept.user


def check_fingerprint(name: str, secret: str) -> None:
    """Store the fingerprint of a secret the first time; raise SecretChanged when it differs."""
    value = _hash(f"autonomy fingerprint of {name}: {secret}")
    kept, _ = Fingerprint.objects.get_or_create(name=name, defaults={"value": value})
    if not hmac.compare_digest(kept.value, value):
        raise SecretChanged(
            f"{name} is not the one this database was set up with on {kept.stored_at:%Y-%m-%d}. "
            f"Put the old one back (the folder `secrets` of your backup); to go on with the new "
            f"one and lose what the old one protects, delete row {name!r} of console_fingerprint."
        )


def _note_use(token: Token) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _USE_NOTED_EVERY)
    Token.objects.filter(stale, pk=token.pk).update(last_used_at=Now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
