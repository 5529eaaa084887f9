from typing import Annotated

import pytest
from pydantic import StringConstraints

from autonomy.sdk import Context, registry, skill
from autonomy.sdk.skill import BadArguments


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_current", registry.Registry())


def test_the_constraints_of_a_type_are_part_of_the_schema() -> None:
    @skill(name="x.y", tier=1)
    def declared(ctx: Context, name: Annotated[str, StringConstraints(pattern="^[a-z]+$")]) -> None:
        """Take a name."""

    assert declared.declaration()["arguments"]["properties"]["name"]["pattern"] == "^[a-z]+$"
    with pytest.raises(BadArguments, match="name: String should match"):
        declared.checked({"name": "--force"})
    with pytest.raises(BadArguments, match="name: String should match"):
        declared.values({"name": "--force"})
