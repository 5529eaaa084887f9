"""From what was printed or answered to the result of a task."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from autonomy.sdk.errors import Permanent

_SHOWN = 300


@dataclass(frozen=True)
class Shaping:
    """How the text becomes a result."""

    format: Literal["text", "json", "nothing"]
    schema: Mapping[str, Any] | None = None

    def result(self, text: str) -> Any:
        """The result; raises Permanent where the text is not what was promised."""
        if self.format == "nothing":
            return None
        if self.format == "text":
            return text.removesuffix("\n")
        value = _read(text)
        if self.schema is not None:
            _check(value, self.schema)
        return value


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"no JSON came of it: {error}; it began {text[:_SHOWN]!r}") from None


def _check(value: Any, schema: Mapping[str, Any]) -> None:
    import jsonschema  # noqa: PLC0415 -- only those with a schema pay for it

    try:
        jsonschema.validate(value, schema)
    except jsonschema.ValidationError as error:
        raise Permanent(
            f"the result does not fit its schema: {error.json_path}: {error.message[:_SHOWN]}"
        ) from None
