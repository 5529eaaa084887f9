"""The folder that artifacts are kept in where no other storage is set."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class ContentFolder(FileSystemStorage):
    """Files named by what is in them: a name is written whole or not at all, and never changes."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: what is there under it already is the same."""
        return name

    def _save(self, name: str, content: "File[Any]") -> str:
        """Write beside it, then put it in its place, so that nobody ever sees half of it."""
        place = Path(self.path(name))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".", delete=False) as fresh:
            try:
                for chunk in content.chunks():
                    fresh.write(chunk)
                fresh.flush()
                os.fsync(fresh.fileno())
                Path(fresh.name).replace(place)
            except BaseException:
                Path(fresh.name).unlink(missing_ok=True)
                raise
        return name
