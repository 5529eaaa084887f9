"""A skill says how far it has to be cut off at least (C-18)."""

from typing import Any

import pytest

from autonomy.domain.isolation import Rung
from autonomy.sdk import Context, registry, skill
from autonomy.sdk.errors import SkillDeclarationError


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_current", registry.Registry())


def act(ctx: Context) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("said", "needs"),
    [
        ({}, Rung.PROCESS),
        ({"isolation": "files"}, Rung.FILES),
        ({"isolation": "syscalls"}, Rung.SYSCALLS),
        ({"foreign_code": True}, Rung.NETWORK),
        ({"foreign_code": True, "isolation": "syscalls"}, Rung.SYSCALLS),
    ],
)
def test_the_least_isolation_is_part_of_the_declaration(said: dict[str, Any], needs: Rung) -> None:
    assert skill(name="x.y", tier=1, **said)(act).declaration()["isolation"] == needs


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"isolation": "strict"}, "isolation of x.y: 'strict' is unknown; use process, files"),
        ({"isolation": "files", "foreign_code": True}, "foreign code needs 'network'"),
    ],
)
def test_an_isolation_that_is_unknown_or_too_weak_is_refused(
    said: dict[str, Any], why: str
) -> None:
    with pytest.raises(SkillDeclarationError, match=why):
        skill(name="x.y", tier=1, **said)(act)
