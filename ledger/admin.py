"""The ledger in the admin: everyone with the right may look, nobody may touch (U-4)."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from ledger.domain.visible import segments
from ledger.models import Block, Event, NodeScore, Outcome, Seal, SkillEstimate
from ledger.selectors import bodies, lists

ENDINGS = {"done": "success", "failed": "danger", "rejected": "danger", "expired": "danger"}
COLOURS = {"verified": "success", "refuted": "danger", "inconclusive": "warning"}


def shown(text: str) -> SafeString:
    """Text in the letters of a machine, with what nobody would see written out and marked."""
    pieces = ((("mark" if hidden else "span"), piece) for piece, hidden in segments(text))
    inside = format_html_join("", "<{0}>{1}</{0}>", pieces)
    return format_html('<pre class="ledger-text">{}</pre>', inside)


class InOrderOfAnIndex(ChangeList):
    """A list in an order that an index has; whatever else an address asks for is passed over."""

    def get_ordering_field(self, field_name: str) -> Any:
        if field_name not in self.model_admin.sortable_by:
            return None
        return super().get_ordering_field(field_name)


class ReadOnlyAdmin(ModelAdmin):
    """Pages that show rows, quick at any size, and offer nothing that could change one."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    actions: Sequence[Any] = ()

    class Media:
        css = {"all": ["ledger/shown.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LargeAdmin(ReadOnlyAdmin):
    """Lists of millions of rows: another order than that of an index would read them all."""

    sortable_by: Sequence[str] = ()
    list_per_page = 25

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return InOrderOfAnIndex


class OfStream(admin.SimpleListFilter):
    """Events of one stream."""

    title = "stream"
    parameter_name = "stream"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stream, stream) for stream in lists.streams()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(stream=self.value()) if self.value() else queryset


class HowItEnded(admin.SimpleListFilter):
    """Outcomes that ended in one way."""

    title = "how it ended"
    parameter_name = "how"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(how, how) for how in lists.ENDINGS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outcome]) -> QuerySet[Outcome]:
        chosen = lists.ENDINGS.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


class OnNode(admin.SimpleListFilter):
    """Outcomes of one node."""

    title = "node"
    parameter_name = "node"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(node, node) for node in lists.nodes_seen()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outcome]) -> QuerySet[Outcome]:
        return lists.outcomes_on(queryset, self.value() or "") if self.value() else queryset


class OfTier(admin.SimpleListFilter):
    """Outcomes of tasks of one tier."""

    title = "tier"
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tier, tier) for tier in ("1", "2", "3")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outcome]) -> QuerySet[Outcome]:
        chosen = self.value() or ""
        return queryset.filter(tier=int(chosen)) if chosen in ("1", "2", "3") else queryset


@admin.register(Event)
class EventAdmin(LargeAdmin):
    """What happened, newest first."""

    list_display = ["at", "type", "stream", "stream_id", "actor"]
    list_filter = [OfStream]
    search_fields = ["=stream_id", "=type"]
    search_help_text = "the id of a task, approval or node, or the type of an event"
    ordering = ["-id"]
    fields = [
        "at", "type", "version", "stream", "stream_id", "actor", "caused_by", "what", "said",
        "place", "id",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        term = search_term.strip()
        return lists.events_about(queryset, term) if term else queryset, False

    @display(description="cause")
    def caused_by(self, event: Event) -> str:
        return " → ".join(event.cause) or "nothing before it"

    @display(description="payload")
    def what(self, event: Event) -> SafeString:
        return shown(json.dumps(event.payload, indent=2, ensure_ascii=False))

    @display(description="body")
    def said(self, event: Event) -> SafeString | str:
        if not event.body_hash:
            return "It has none."
        found = bodies([event.pk]).get(event.pk)
        return shown(found) if found is not None else "It was erased; its hash stays."

    @display(description="place in the chain")
    def place(self, event: Event) -> str:
        seal = Seal.objects.filter(event_id=event.pk).select_related("block").first()
        return f"{seal.sequence}, in {seal.block}" if seal else "not sealed yet"


@admin.register(Block)
class BlockAdmin(LargeAdmin):
    """The chain, newest block first."""

    list_display = ["number", "sealed_at", "first_sequence", "last_sequence", "hash"]
    search_fields = ["=hash", "=previous_hash"]
    ordering = ["-number"]
    fields = [
        "number", "sealed_at", "first_sequence", "last_sequence", "previous_hash", "merkle_root",
        "hash", "last_transaction", "last_event_id",
    ]  # fmt: skip


@admin.register(Outcome)
class OutcomeAdmin(LargeAdmin):
    """How tasks ended, newest first."""

    list_display = ["at", "skill", "ending", "badge", "node", "tier", "seconds", "retries"]
    sortable_by = ["at"]
    list_filter = [HowItEnded, OnNode, OfTier, "canary"]
    search_fields = ["=skill"]
    search_help_text = "the name of a skill, or the id of a task"
    ordering = ["-at"]
    fields = [
        "task_id", "skill", "tier", "node", "state", "reason", "verdict", "proof",
        "decision_seconds", "queue_seconds", "run_seconds", "verify_seconds", "expected_seconds",
        "retries", "dollars", "tokens", "quality", "error_class", "canary", "at",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Outcome], search_term: str
    ) -> tuple[QuerySet[Outcome], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return lists.outcomes_about(queryset, term), False

    @display(description="state", label=ENDINGS)
    def ending(self, outcome: Outcome) -> str:
        return outcome.state

    @display(description="seconds")
    def seconds(self, outcome: Outcome) -> str:
        return f"{outcome.run_seconds:.1f}"

    @display(description="verdict", label=COLOURS)
    def badge(self, outcome: Outcome) -> str:
        return outcome.verdict

    @display(description="evidence")
    def proof(self, outcome: Outcome) -> SafeString:
        return shown(json.dumps(outcome.evidence, indent=2, ensure_ascii=False))


@admin.register(NodeScore)
class NodeScoreAdmin(ReadOnlyAdmin):
    """How well nodes have done skills lately."""

    list_display = ["node", "skill", "mean_value", "success_rate", "weight", "at"]
    search_fields = ["node", "skill"]
    ordering = ["node", "skill"]

    @display(description="mean value")
    def mean_value(self, score: NodeScore) -> str:
        return _mean(score.value_sum, score.weight)

    @display(description="success rate")
    def success_rate(self, score: NodeScore) -> str:
        return _mean(score.success_sum, score.weight)


@admin.register(SkillEstimate)
class SkillEstimateAdmin(ReadOnlyAdmin):
    """How long skills have taken lately, and how often they were verified."""

    list_display = ["skill", "mean_seconds", "success_rate", "weight", "at"]
    search_fields = ["skill"]
    ordering = ["skill"]

    @display(description="mean seconds")
    def mean_seconds(self, estimate: SkillEstimate) -> str:
        return _mean(estimate.seconds_sum, estimate.verified_weight)

    @display(description="success rate")
    def success_rate(self, estimate: SkillEstimate) -> str:
        return _mean(estimate.success_sum, estimate.weight)


def _mean(total: float, weight: float) -> str:
    return f"{total / weight:.2f}" if weight else "nothing yet"
