"""The key under which one thing that was noticed is worked on once at a time."""

import hashlib

MAX_CHARS = 200


def dedupe_key(watch: str, key: str) -> str:
    """The finding's key within its watch; what is too long to be stored is hashed."""
    whole = f"{watch}:{key}"
    return whole if len(whole) <= MAX_CHARS else hashlib.sha256(whole.encode()).hexdigest()
