"""What people call a task."""

from uuid import UUID


def short(id_: UUID | str) -> str:
    """The end of an id: enough to find the row again."""
    return str(id_).replace("-", "")[-8:]


def label(skill: str, key: str) -> str:
    """The skill, and the key among its siblings where that says more."""
    return skill if key in skill else f"{skill} ({key})"
