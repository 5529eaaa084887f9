"""One file, read and tried out: what is wrong with it is told with its line."""

import traceback
from pathlib import Path
from typing import Any

from autonomy.skillfiles.building import skill_of
from autonomy.skillfiles.errors import BadSkillFile, FileTooLarge, Place
from autonomy.skillfiles.reading import MOST_BYTES, Document, read


def examined(path: Path) -> dict[str, Any]:
    """The content and the document of a file, or its problem."""
    content = b""
    document = Document()
    try:
        content = _content(path)
        document = read(content)
        skill_of(path, content, document.value)
    except BadSkillFile as error:
        error.place = error.place or _place(error.at, document)
        return {"problem": _shown(content, error.place) + error.told(str(path))}
    except OSError as error:
        return {"problem": f"NotRead: {path} cannot be read: {error.strerror}"}
    except Exception:  # noqa: BLE001 -- a mistake of ours in one file stops no other
        return {"problem": traceback.format_exc(limit=-4)}
    return {"content": content.decode(), "document": document.value}


def _content(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise FileTooLarge(f"it has {size} bytes; {MOST_BYTES} are allowed")
    return path.read_bytes()


def _place(at: tuple[str | int, ...] | None, document: Document) -> Place | None:
    """Where the keys lead, as far as they lead somewhere."""
    for length in range(len(at or ()), 0, -1):
        path = (at or ())[:length]
        if found := document.keys.get(path) or document.values.get(path):
            return found
    return document.values.get(())


def _shown(content: bytes, place: Place | None) -> str:
    """The line with a mark under it."""
    lines = content.decode("utf-8", "replace").splitlines()
    if place is None or place.line > len(lines):
        return ""
    line = lines[place.line - 1]
    return f"  {line[:200]}\n  {' ' * (min(place.column, 200) - 1)}^\n"
