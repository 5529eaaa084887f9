"""The dial in the admin: what is in force and why, and the big red button (D-19, F-11)."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from autonomy.engine.services.stopping import stop
from autonomy.tasks.admin.shown import Html, Named, ShownAdmin, ago, badge, document
from firewall import services as firewall
from firewall.domain.levels import Level, of_rank
from firewall.domain.rules import SHORTEST_REASON
from firewall.models import Dial
from firewall.services import DialRefused

Turn = Callable[[HttpRequest, dict[str, Any]], str]
"""Does what a page asks for; answers in words."""


class Reason(forms.Form):
    """Why the dial is turned: kept with the turn."""

    reason = forms.CharField(
        min_length=SHORTEST_REASON, widget=UnfoldAdminTextareaWidget({"rows": 3})
    )


class Stop(Reason):
    """The big red button."""

    now = forms.BooleanField(
        label="End what runs as well", required=False, widget=UnfoldBooleanSwitchWidget
    )


class Ceiling(Reason):
    """The most that may run alone."""

    level = forms.ChoiceField(
        choices=[(level.value, f"{level}: {level.words}") for level in Level],
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Dial)
class DialAdmin(ShownAdmin):
    """How much may run alone. Looking changes nothing; a POST with a reason turns it."""

    list_display = ["in_words", "ceiling_in_words", "chosen_in_words", "changed"]
    actions_detail = ["stop", "resume", "set_ceiling"]

    def facts(self, dial: Dial) -> Sequence[Named]:
        return [
            ("In force", badge(of_rank(dial.in_force))),
            ("It means", of_rank(dial.in_force).words),
            ("Ceiling", f"{of_rank(dial.ceiling)}, by {dial.ceiling_by or 'nobody yet'}"),
            ("Because", dial.ceiling_reason),
            ("By the evidence", of_rank(dial.chosen)),
            ("Which says", dial.chosen_reason),
            ("Changed", ago(dial.changed_at)),
        ]

    def panels(self, dial: Dial) -> Sequence[Named]:
        return [("Evidence", document(dial.evidence))]

    @display(description="in force")
    def in_words(self, dial: Dial) -> Html:
        return badge(of_rank(dial.in_force))

    @display(description="ceiling")
    def ceiling_in_words(self, dial: Dial) -> str:
        return of_rank(dial.ceiling)

    @display(description="by the evidence")
    def chosen_in_words(self, dial: Dial) -> str:
        return of_rank(dial.chosen)

    @display(description="changed")
    def changed(self, dial: Dial) -> Html:
        return ago(dial.changed_at)

    def has_stop_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("firewall.stop")

    def has_turn_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("firewall.administer")

    @action(description="Stop everything", url_path="stop", permissions=["stop"],
            icon="front_hand", variant=ActionVariant.DANGER)  # fmt: skip
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, "Stop everything", Stop, _stop)

    @action(description="Resume", url_path="resume", permissions=["turn"],
            icon="play_arrow", variant=ActionVariant.SUCCESS)  # fmt: skip
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, "Resume", Reason, _resume)

    @action(description="Set the ceiling", url_path="ceiling", permissions=["turn"],
            icon="speed")  # fmt: skip
    def set_ceiling(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, "Set the ceiling", Ceiling, _set_ceiling)

    def _page(
        self, request: HttpRequest, title: str, kind: type[Reason], turn: Turn
    ) -> HttpResponse:
        """Ask for a reason, which is also the confirmation; only a POST of it turns the dial."""
        form = kind(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._turned(request, turn, form.cleaned_data)
        dial = Dial.objects.first()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": title,
            "level": of_rank(dial.in_force if dial else None),
            "form": form,
        }
        return TemplateResponse(
            request, "autonomy/turn.html", context, status=400 if form.errors else 200
        )

    def _turned(self, request: HttpRequest, turn: Turn, said: dict[str, Any]) -> HttpResponse:
        try:
            self.message_user(request, turn(request, said), messages.SUCCESS)
        except DialRefused as refused:
            self.message_user(request, f"Not done: {refused}.", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:index"))


def _stop(request: HttpRequest, said: dict[str, Any]) -> str:
    person: Any = request.user
    _, ended = stop(person, reason=said["reason"], now=said["now"])
    return f"Nothing starts any more. {ended} sessions were told to end."


def _resume(request: HttpRequest, said: dict[str, Any]) -> str:
    person: Any = request.user
    return f"The level is {firewall.resume(person, reason=said['reason']).level}."


def _set_ceiling(request: HttpRequest, said: dict[str, Any]) -> str:
    person: Any = request.user
    turned = firewall.set_ceiling(person, Level(said["level"]), reason=said["reason"])
    return f"The level is {turned.level}."
