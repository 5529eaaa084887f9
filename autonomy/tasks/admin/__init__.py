"""Tasks, sessions and artifacts in the admin: to look at, and to cancel."""

from autonomy.tasks.admin.artifacts import ArtifactAdmin
from autonomy.tasks.admin.sessions import SessionAdmin
from autonomy.tasks.admin.tasks import TaskAdmin

__all__ = ["ArtifactAdmin", "SessionAdmin", "TaskAdmin"]
