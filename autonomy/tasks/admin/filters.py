"""Filters whose choices come from the map, so that the tasks need not be read for them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from autonomy.domain.states import LIVE, State
from autonomy.systemmap.models import Component, Kind, Node


class Choice(admin.SimpleListFilter):
    """Rows whose column of the filter's name holds the chosen word."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return (
            queryset.filter(**{str(self.parameter_name): self.value()})
            if self.value()
            else queryset
        )


class OfSkill(Choice):
    """Tasks of one skill."""

    title = "skill"
    parameter_name = "skill"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        skills = Component.objects.filter(kind=Kind.SKILL).order_by("name")
        return [(name, name) for name in skills.values_list("name", flat=True)]


class OfNode(Choice):
    """What one node has, or had."""

    title = "node"
    parameter_name = "node"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Node.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]


class Standing(admin.SimpleListFilter):
    """Tasks in one state, or all that are not over."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "not over"), *((state.value, state.value) for state in State)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "live":
            return queryset.filter(state__in=sorted(LIVE))
        return queryset.filter(state=self.value()) if self.value() else queryset
