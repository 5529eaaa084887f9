"""The page of an artifact: where it came from, and its first lines."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from autonomy.tasks.admin.shown import Html, Named, ShownAdmin, ago, block, code, link
from autonomy.tasks.models import Artifact
from autonomy.tasks.selectors.artifacts import MissingArtifact, opened

SHOWN_BYTES = 64_000
SHOWN_UP_TO = 10_000_000
"""Bytes: the whole file is read to be sure of it."""


@admin.register(Artifact)
class ArtifactAdmin(ShownAdmin):
    """Every kept file, newest first."""

    list_display = ["name", "left_by", "bytes", "hash", "kept"]
    list_select_related = ["task"]
    search_fields = ["name__startswith", "sha256__startswith"]
    search_help_text = "An id, or how a name or a hash begins"
    ordering = ["-id"]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(download)
        own = path("<uuid:artifact_id>/file", page, name="tasks_artifact_file")
        return [own, *super().get_urls()]

    def facts(self, artifact: Artifact) -> Sequence[Named]:
        return [
            ("Name", artifact.name),
            ("Left by", link(artifact.task, artifact.task.skill)),
            ("Bytes", self.bytes(artifact)),
            ("Kept", ago(artifact.created_at)),
            ("SHA-256", code(artifact.sha256)),
            ("File", _download(artifact)),
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


def _download(artifact: Artifact) -> Html:
    address = reverse("admin:tasks_artifact_file", args=[artifact.pk])
    return format_html('<a class="shown-link" href="{}">Download</a>', address)


def _content(artifact: Artifact) -> Html:
    """Its first bytes as text, never as a page: a session wrote them."""
    if artifact.size > SHOWN_UP_TO:
        return f"It is too long to be shown here: {artifact.size:,} bytes. Download it."
    try:
        with opened(artifact.sha256) as kept:
            head = kept.read(SHOWN_BYTES)
    except MissingArtifact:
        return "It is kept on the node that made it, not here, or was removed."
    except OSError as error:
        return f"It cannot be shown: {error}"
    if b"\0" in head:
        return "It is not text."
    return block(head.decode(errors="replace"), empty="It is empty.")


def download(request: HttpRequest, artifact_id: UUID) -> HttpResponseBase:
    """The whole file, to be saved and not to be opened: a session wrote it."""
    if not request.user.has_perm("tasks.view_artifact"):
        raise PermissionDenied
    artifact = get_object_or_404(Artifact, pk=artifact_id)
    try:
        file = opened(artifact.sha256)
    except MissingArtifact as error:
        raise Http404(str(error)) from None
    except OSError as error:
        return HttpResponse(str(error), status=503, content_type="text/plain")
    name = artifact.name.rpartition("/")[2]
    return FileResponse(
        file, as_attachment=True, filename=name, content_type="application/octet-stream"
    )
