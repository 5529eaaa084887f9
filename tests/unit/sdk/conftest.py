"""A registry for each test."""

import pytest

from autonomy.sdk import registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_current", registry.Registry())
