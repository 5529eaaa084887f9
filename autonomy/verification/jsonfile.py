"""Whether a file holds JSON of the promised shape."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from autonomy.sdk.evidence import Check, check, undecided
from autonomy.verification.files import missing, open_file

MOST_BYTES = 50_000_000
_SHOWN = 300


def json_matches(path: Path, schema: Mapping[str, Any]) -> Check:
    """The file is there and its JSON fits the schema."""
    expected = "JSON that fits the schema"
    try:
        with open_file(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return missing(path, expected=expected, error=error)
    if len(content) > MOST_BYTES:
        return undecided(path.name, expected=expected, why=f"more than {MOST_BYTES} bytes")
    told = check(path.name, expected=expected, seen=misfit(content, schema) or expected)
    return told.model_copy(update={"found": {"sha256": hashlib.sha256(content).hexdigest()}})


def misfit(content: bytes, schema: Mapping[str, Any]) -> str:
    """Why the bytes are no JSON of this shape; empty where they are."""
    try:
        jsonschema.validate(json.loads(content), schema)
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message[:_SHOWN]}"
    except (ValueError, RecursionError) as error:
        return f"no JSON: {str(error)[:_SHOWN]}"
    return ""
