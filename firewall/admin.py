"""Approvals in the admin: what is asked, and the two answers, given through `decide` (F-4)."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from firewall.domain.rendering import laid_out
from firewall.domain.rules import SHORTEST_REASON, Answer
from firewall.models import Approval, Decision, SoloMode
from firewall.selectors import decider
from firewall.services import DecisionRefused, decide
from ledger.admin import ReadOnlyAdmin, shown
from ledger.domain.visible import revealed

COLOURS = {
    Decision.PENDING: "warning",
    Decision.APPROVED: "success",
    Decision.REJECTED: "danger",
    Decision.EXPIRED: "danger",
}


class Standing(admin.SimpleListFilter):
    """What waits for an answer, unless something else is asked for."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), *Decision.choices[1:]]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Waiting"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        if self.value() == "all":
            return queryset
        return queryset.filter(decision=self.value() or Decision.PENDING)


class Comment(forms.Form):
    """The words that go with an answer, and the digest of what was shown."""

    comment = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))
    digest = forms.CharField(widget=forms.HiddenInput)


class Reason(Comment):
    """A rejection needs words."""

    comment = forms.CharField(
        label="Reason",
        min_length=SHORTEST_REASON,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Questions to a person; nothing of them can be edited, they can be answered."""

    list_display = ["what", "tier", "requested_by", "standing", "expires_at", "decided_by"]
    list_filter = [Standing, "tier"]
    list_select_related = ["decided_by"]
    search_fields = ["=skill", "=requested_by", "=action_digest"]
    ordering = ["-tier", "expires_at"]
    actions_detail = ["approve", "reject"]
    fields = [
        "what", "tier", "requested_by", "decision", "exactly", "difference", "action_digest",
        "task_id", "created_at", "expires_at", "decided_by", "decided_at", "words", "consumed_at",
    ]  # fmt: skip

    @display(description="what")
    def what(self, approval: Approval) -> str:
        return revealed(
            f"{approval.skill}: {approval.summary}" if approval.summary else approval.skill
        )

    @display(description="standing", label=COLOURS)
    def standing(self, approval: Approval) -> tuple[str, str]:
        return approval.decision, approval.get_decision_display()

    @display(description="exactly this will run")
    def exactly(self, approval: Approval) -> SafeString:
        return shown(laid_out(approval.action))

    @display(description="what it would change")
    def difference(self, approval: Approval) -> SafeString | str:
        return shown(approval.diff) if approval.diff else "nothing was said"

    @display(description="comment")
    def words(self, approval: Approval) -> str:
        return revealed(approval.comment)

    def has_answer_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Whether to offer the two answers; `decide` has the last word."""
        found: Approval | None = self.get_object(request, object_id)
        if found is None or found.decision != Decision.PENDING:
            return False
        return found.tier in decider(request.user).tiers

    @action(
        description="Approve",
        url_path="approve",
        permissions=["answer"],
        icon="check",
        variant=ActionVariant.SUCCESS,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, object_id, Answer.APPROVED, Comment)

    @action(
        description="Reject",
        url_path="reject",
        permissions=["answer"],
        icon="close",
        variant=ActionVariant.DANGER,
    )
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, object_id, Answer.REJECTED, Reason)

    def _answer(
        self, request: HttpRequest, object_id: str, answer: Answer, kind: type[Comment]
    ) -> HttpResponse:
        """Looking shows a page; only a POST with words that fit is an answer."""
        approval = get_object_or_404(Approval, pk=object_id)
        form = kind(request.POST or None, initial={"digest": approval.action_digest})
        if request.method == "POST" and form.is_valid():
            return self._decided(request, approval.pk, answer, form.cleaned_data)
        return self._page(request, approval, answer, form)

    def _decided(
        self, request: HttpRequest, approval_id: UUID, answer: Answer, said: dict[str, str]
    ) -> HttpResponse:
        try:
            decide(approval_id, request.user, answer, said["comment"], digest=said["digest"])  # type: ignore[arg-type]
        except DecisionRefused as refused:
            self.message_user(request, f"Not {answer.value}: {refused}.", messages.ERROR)
        else:
            self.message_user(request, f"The action is {answer.value}.", messages.SUCCESS)
        page = reverse("admin:firewall_approval_change", args=[approval_id])
        return HttpResponseRedirect(page)

    def _page(
        self, request: HttpRequest, approval: Approval, answer: Answer, form: Comment
    ) -> HttpResponse:
        verb = "Approve" if answer is Answer.APPROVED else "Reject"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": f"{verb} {revealed(approval.skill)}",
            "approval": approval,
            "what": self.what(approval),
            "exactly": self.exactly(approval),
            "difference": self.difference(approval),
            "form": form,
            "verb": verb,
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "firewall/answer.html", context, status=status)


@admin.register(SoloMode)
class SoloModeAdmin(ReadOnlyAdmin):
    """When one person could approve what they requested, and why."""

    list_display = ["by", "created_at", "until", "ended_at", "reason"]
    list_select_related = ["by"]
    ordering = ["-created_at"]
