"""Tokens as their person sees them: never the token itself."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from console.models import Token
from console.selectors.lookup import AmbiguousId, UnknownId


@dataclass(frozen=True)
class TokenLine:
    """One token: how it begins and whether it lives."""

    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def tokens_of(person: User) -> list[TokenLine]:
    """The tokens of a person, newest first."""
    names = list(TokenLine.__dataclass_fields__)
    return [TokenLine(**row) for row in Token.objects.filter(user=person).values(*names)]


def token_of(person: User, prefix: str) -> Token:
    """The one token of a person that begins so."""
    found = list(Token.objects.filter(user=person, prefix__startswith=prefix)[:2])
    if not prefix or not found:
        raise UnknownId(f"you have no token that begins with {prefix!r}; `autonomy token list`")
    if len(found) > 1:
        raise AmbiguousId(f"several of your tokens begin with {prefix!r}; give more of it")
    return found[0]
