"""The page of an artifact: where it came from, and its first lines."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib import admin
from unfold.decorators import display

from autonomy.tasks.admin.shown import Html, Named, ShownAdmin, ago, block, code, link
from autonomy.tasks.models import Artifact

SHOWN_BYTES = 64_000


@admin.register(Artifact)
class ArtifactAdmin(ShownAdmin):
    """Every kept file, newest first."""

    list_display = ["name", "left_by", "bytes", "hash", "kept"]
    list_select_related = ["task"]
    search_fields = ["name__startswith", "sha256__startswith"]
    search_help_text = "An id, or how a name or a hash begins"
    ordering = ["-id"]

    def facts(self, artifact: Artifact) -> Sequence[Named]:
        return [
            ("Name", artifact.name),
            ("Left by", link(artifact.task, artifact.task.skill)),
            ("Bytes", self.bytes(artifact)),
            ("Kept", ago(artifact.created_at)),
            ("SHA-256", code(artifact.sha256)),
        ]

    def panels(self, artifact: Artifact) -> Sequence[Named]:
        return [("Content", _content(artifact))]

    @display(description="left by")
    def left_by(self, artifact: Artifact) -> str:
        return artifact.task.skill

    @display(description="bytes", ordering="size")
    def bytes(self, artifact: Artifact) -> str:
        return f"{artifact.size:,}"

    @display(description="SHA-256")
    def hash(self, artifact: Artifact) -> Html:
        return code(artifact.sha256[:16] + "…")

    @display(description="kept", ordering="id")
    def kept(self, artifact: Artifact) -> Html:
        return ago(artifact.created_at)


def _content(artifact: Artifact) -> Html:
    """Its first bytes as text, never as a page: a session wrote them."""
    path = settings.AUTONOMY_ARTIFACTS / artifact.sha256[:2] / artifact.sha256[2:]
    try:
        with path.open("rb") as kept:
            head = kept.read(SHOWN_BYTES)
    except OSError:
        return f"It is kept on the node that made it, not here: {path} cannot be read."
    if b"\0" in head:
        return f"It is not text. Its bytes are in {path}."
    return block(head.decode(errors="replace"), empty="It is empty.")
