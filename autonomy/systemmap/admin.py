"""The map in the admin: what is declared, and the nodes; an operator may pause either."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.views import ChangeList

from autonomy.systemmap import services
from autonomy.systemmap.models import Component, Node
from autonomy.systemmap.selectors import last_verified, nodes_alive, shelfware


class Retired(admin.SimpleListFilter):
    """Components that are declared now, unless the retired ones are asked for."""

    title = "declared"
    parameter_name = "retired"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "no longer declared")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(retired_at__isnull=self.value() != "yes")


class MapAdmin(ModelAdmin):
    """Rows that nodes write: nobody adds or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def told(self, request: HttpRequest, changed: list[Any], what: str) -> None:
        """Say how many an action changed."""
        self.message_user(request, f"{len(changed)} {what}.", messages.SUCCESS)


class Flagged(ChangeList):
    """The map, each component with what is wrong with it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        flags = shelfware()
        for row in self.result_list:
            own = [flag for flag in flags if (flag.kind, flag.name) == (row.kind, row.name)]
            row.flagged = "; ".join(flag.words for flag in own)


@admin.register(Component)
class ComponentAdmin(MapAdmin):
    """Everything on the map, with its last success that was proved."""

    list_display = ["name", "kind", "level", "owner", "standing", "last_verified_at", "wrong"]
    list_filter = [Retired, "kind", "tier", "paused"]
    search_fields = ["name", "owner", "description"]
    actions = ["pause", "resume"]
    fields = [
        "kind", "name", "description", "owner", "tier", "version", "paused", "declared_at",
        "retired_at", "trace", "declared",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Component]:
        return Component.objects.annotate(last_verified_at=last_verified())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Flagged

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for field in self.fields if field != "paused"]

    def save_model(self, request: HttpRequest, obj: Component, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        move = services.pause_components if obj.paused else services.resume_components
        move([obj.pk], by=_person(request), reason="in the admin")

    @action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Component]) -> None:
        ids = queryset.values_list("id", flat=True)
        self.told(request, services.pause_components(list(ids), by=_person(request)), "paused")

    @action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Component]) -> None:
        ids = queryset.values_list("id", flat=True)
        self.told(request, services.resume_components(list(ids), by=_person(request)), "resumed")

    @display(description="tier", ordering="tier", label={1: "success", 2: "warning", 3: "danger"})
    def level(self, component: Component) -> int:
        return component.tier

    @display(
        description="state",
        label={
            "declared": "success",
            "paused": "warning",
            "broken": "danger",
            "retired": "default",
        },
    )
    def standing(self, component: Component) -> str:
        if component.retired_at:
            return "retired"
        if component.problem:
            return "broken"
        return "paused" if component.paused else "declared"

    @display(description="last verified", ordering="last_verified_at", empty_value="never")
    def last_verified_at(self, component: Any) -> Any:
        return component.last_verified_at

    @display(description="what is wrong", empty_value="")
    def wrong(self, component: Any) -> str:
        return str(getattr(component, "flagged", ""))

    @display(description="problem")
    def trace(self, component: Component) -> SafeString:
        return _block(component.problem)

    @display(description="declaration")
    def declared(self, component: Component) -> SafeString:
        return _block(json.dumps(component.declaration, indent=2, ensure_ascii=False))


@admin.register(Node)
class NodeAdmin(MapAdmin):
    """Every node, and whether it lives."""

    list_display = ["name", "standing", "may_run", "slots", "labels", "isolation", "seen_at"]
    list_filter = ["paused", "draining"]
    search_fields = ["name"]
    actions = ["pause", "resume", "drain"]
    fields = [
        "name", "standing", "tiers", "slots", "labels", "isolation", "pid", "incarnation",
        "started_at", "seen_at", "claimed_at", "loaded",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        return Node.objects.annotate(alive=Exists(nodes_alive().filter(pk=OuterRef("pk"))))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether a person may pause nodes, though nobody edits them."""
        return request.user.has_perm("systemmap.change_node")

    @action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        ids = queryset.values_list("id", flat=True)
        self.told(request, services.pause_nodes(list(ids), by=_person(request)), "paused")

    @action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        ids = queryset.values_list("id", flat=True)
        self.told(request, services.resume_nodes(list(ids), by=_person(request)), "resumed")

    @action(description="Drain", permissions=["operate"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        ids = queryset.values_list("id", flat=True)
        self.told(request, services.drain_nodes(list(ids), by=_person(request)), "draining")

    @display(
        description="state",
        label={"alive": "success", "paused": "warning", "draining": "info", "away": "danger"},
    )
    def standing(self, node: Any) -> str:
        if not node.alive:
            return "away"
        return "paused" if node.paused else "draining" if node.draining else "alive"

    @display(description="tiers")
    def may_run(self, node: Node) -> str:
        return ", ".join(map(str, node.tiers))

    @display(description="has loaded")
    def loaded(self, node: Node) -> SafeString:
        versions = {**node.versions, **node.detectors}
        return _block("\n".join(f"{name} {version}" for name, version in sorted(versions.items())))


def _block(text: str) -> SafeString:
    return format_html('<pre class="whitespace-pre-wrap break-words">{}</pre>', text)


def _person(request: HttpRequest) -> str:
    return f"person:{request.user.get_username()}"
