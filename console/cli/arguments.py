"""`key=value` words become the arguments of a skill, by the types its schema names."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


class BadArgument(Exception):
    """A word that cannot be read as an argument; the message shows the form."""


def read(words: Iterable[str], document: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments from a JSON object and from `key=value` words, which win over it."""
    return {**_object(document), **dict(_pair(word, schema) for word in words)}


def _object(document: str) -> dict[str, Any]:
    if not document:
        return {}
    try:
        given = json.loads(document)
    except json.JSONDecodeError as error:
        raise BadArgument(f"--args is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise BadArgument('--args must be a JSON object, such as \'{"path": "inbox/a.pdf"}\'')
    return given


def _pair(word: str, schema: Mapping[str, Any]) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise BadArgument(f"{word!r} is no argument: write KEY=VALUE")
    if _takes_text(schema.get("properties", {}).get(key, {})):
        return key, text
    try:
        return key, json.loads(text)
    except json.JSONDecodeError:
        return key, text  # the schema will say what it wants instead


def _takes_text(field: Mapping[str, Any]) -> bool:
    kinds = [field, *field.get("anyOf", ())]
    return any(kind.get("type") == "string" for kind in kinds)
