"""Removing the files that no row names any more."""

import secrets
from datetime import timedelta

from django.core.files.storage import Storage
from django.utils import timezone

from autonomy.tasks.models import Artifact
from autonomy.tasks.selectors.artifacts import name_of, reached

KEPT_ANYWAY = timedelta(hours=1)
"""A file is written before the row that names it: a young one may only be waiting for its row."""

MOST_AT_ONCE = 500


def sweep_artifacts(storage: Storage, *, part: str = "") -> int:
    """Remove unnamed files from one of the 256 parts of a storage; answers how many."""
    part = part or secrets.token_hex(1)
    with reached():
        names = _files(storage, part)[:MOST_AT_ONCE]
    hashes = [part + name for name in names]
    named = set(Artifact.objects.filter(sha256__in=hashes).values_list("sha256", flat=True))
    with reached():
        return sum(_removed(storage, sha256) for sha256 in hashes if sha256 not in named)


def _files(storage: Storage, part: str) -> list[str]:
    try:
        return sorted(name for name in storage.listdir(part)[1] if not name.startswith("."))
    except FileNotFoundError:
        return []


def _removed(storage: Storage, sha256: str) -> bool:
    """Looked at once more right before: whoever keeps the same bytes again writes them again."""
    name = name_of(sha256)
    try:
        if timezone.now() - storage.get_modified_time(name) < KEPT_ANYWAY:
            return False
        storage.delete(name)
    except FileNotFoundError:  # another node was quicker
        return False
    return True
