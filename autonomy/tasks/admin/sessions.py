"""The page of a session: one attempt, its limits, and what it printed."""

from collections.abc import Sequence
from decimal import Decimal

from django.contrib import admin
from django.urls import URLPattern, path
from unfold.decorators import display

from autonomy.tasks.admin import live
from autonomy.tasks.admin.filters import OfNode
from autonomy.tasks.admin.shown import (
    COLOURS,
    Html,
    Named,
    ShownAdmin,
    ago,
    badge,
    block,
    code,
    document,
    link,
    short,
)
from autonomy.tasks.models import Session


@admin.register(Session)
class SessionAdmin(ShownAdmin):
    """Every session, newest first."""

    list_display = ["name", "purpose", "attempt", "node", "how", "error_class", "started"]
    list_filter = [OfNode, "purpose", "ended"]
    list_select_related = ["task"]
    search_fields = ["node__startswith"]
    search_help_text = "An id, or how the name of a node begins"
    ordering = ["-id"]

    class Media:
        js = ["autonomy/live.js"]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(live.stream)
        own = path("<uuid:session_id>/output", page, name="tasks_session_output")
        return [own, *super().get_urls()]

    def facts(self, session: Session) -> Sequence[Named]:
        return [
            ("Task", link(session.task, session.task.skill)),
            ("Purpose", session.purpose),
            ("Attempt", session.attempt),
            ("Ended", badge(self.how(session))),
            ("Node", session.node),
            ("Process", session.pid),
            ("Version", code(session.version)),
            ("Epoch", session.epoch),
            ("Started", ago(session.started_at)),
            ("Ended at", ago(session.ended_at)),
            ("CPU seconds", session.cpu_seconds),
            ("Peak memory", _megabytes(session.peak_memory_bytes)),
            ("Tokens", f"{session.tokens:,} of {session.limits.get('tokens', 0):,}"),
            ("Dollars", f"{_dollars(session.dollars)} of {_dollars(_allowed(session))}"),
        ]

    def panels(self, session: Session) -> Sequence[Named]:
        return [
            ("Output", live.output(session)),
            ("Error", block(session.error, empty="None.")),
            ("Grants", document(session.grants, empty="None.")),
            ("Limits", document(session.limits)),
        ]

    @display(description="session", header=True)
    def name(self, session: Session) -> list[str]:
        return [session.task.skill, short(session.pk)]

    @display(description="ended", label=COLOURS)
    def how(self, session: Session) -> str:
        return session.ended or "running"

    @display(description="started", ordering="id")
    def started(self, session: Session) -> Html:
        return ago(session.started_at)


def _allowed(session: Session) -> Decimal:
    return Decimal(session.limits.get("dollars", 0))


def _dollars(amount: Decimal) -> str:
    """Cents, and more only where there is more."""
    return f"${amount:.2f}" if amount == round(amount, 2) else f"${amount.normalize():f}"


def _megabytes(size: int | None) -> str:
    return f"{size / 1e6:.0f} MB" if size else ""
