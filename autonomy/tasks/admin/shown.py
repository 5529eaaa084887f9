"""Pages that only show: what a machine wrote is not edited by hand."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString

from ledger.admin import ReadOnlyAdmin
from ledger.admin import shown as machine_text
from ledger.domain.visible import revealed

Html = SafeString | str
Named = tuple[str, Any]
"""A label and what stands under it."""

COLOURS = {
    "done": "success",
    "approved": "success",
    "pending": "warning",
    "verified": "success",
    "ok": "success",
    "alive": "success",
    "silent": "danger",
    "held": "warning",
    "inconclusive": "warning",
    "preflight": "info",
    "dispatched": "info",
    "running": "info",
    "verifying": "info",
    "failed": "danger",
    "refuted": "danger",
    "rejected": "danger",
    "expired": "danger",
    "timeout": "danger",
    "resource": "danger",
    "lost": "danger",
    "full": "success",
    "careful": "warning",
    "ask": "warning",
    "observe": "danger",
    "off": "danger",
}
"""States, verdicts and endings by the colour of their badge; the word is always there too."""


_WHOLE = 28
"""Letters up to which a cell stays on one line."""


class ShownAdmin(ReadOnlyAdmin):
    """Read-only pages of facts and panels instead of a form; a whole id is found without a scan."""

    change_form_before_template = "autonomy/shown.html"

    class Media:
        css = {"all": ["autonomy/shown.css"]}

    def facts(self, row: Any) -> Sequence[Named]:
        """What stands at the head of a row's page."""
        raise NotImplementedError

    def panels(self, row: Any) -> Sequence[Named]:
        """What stands below: titles and their contents."""
        return ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = {"facts": self.facts(row), "panels": self.panels(row)} if row else {}
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )
        return page

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A whole id is looked up as one, so that finding it never reads the table."""
        if id_ := _as_id(search_term):
            return queryset.filter(pk=id_), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def short(id_: UUID | str | None) -> str:
    """The end of an id, by which people tell rows apart."""
    return str(id_)[-8:] if id_ else ""


def badge(word: str) -> Html:
    """A word in the colour of what it means."""
    if not word:
        return ""
    return render_to_string(
        "unfold/helpers/label.html", {"text": word, "type": COLOURS.get(word, "default")}
    )


def ago(at: datetime | None) -> Html:
    """How long ago, with the moment itself to hover over."""
    if at is None:
        return ""
    moment = f"{at:%F %T %Z}"
    return format_html('<time title="{}">{}</time>', moment, naturaltime(at))


def grid(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> Html:
    """A table inside a panel, or the words that say why there is none."""
    body = format_html_join("", "<tr>{}</tr>", ((_cells(headers, row),) for row in rows))
    if not body:
        return empty
    head = format_html_join("", "<th>{}</th>", ((header,) for header in headers))
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)


def _cells(headers: Sequence[str], values: Sequence[Any]) -> SafeString:
    """Each names its column, which a narrow screen shows beside it; what is short is not broken."""
    form = '<td class="{}" data-label="{}">{}</td>'
    return format_html_join(
        "", form, ((_breaks(v), header, v) for header, v in zip(headers, values, strict=True))
    )


def _breaks(value: Any) -> str:
    text = "" if value is None else strip_tags(str(value))
    return "" if len(text) > _WHOLE else "shown-whole"


def sentences(told: Iterable[str]) -> SafeString:
    """A paragraph for each."""
    return format_html_join("", "<p>{}</p>", ((revealed(sentence),) for sentence in told))


def link(row: Model, words: str) -> SafeString:
    """A link to the page of a row."""
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a class="shown-link" href="{}">{}</a>', address, words)


def code(text: str) -> Html:
    """A hash or a name, in the letters of a machine."""
    return format_html('<span class="shown-code">{}</span>', text) if text else ""


def block(text: str, *, empty: str = "Nothing.") -> Html:
    """Text as it is, in the letters of a machine, with what nobody would see written out."""
    return machine_text(text) if text else empty


def document(value: Any, *, empty: str = "Nothing.") -> Html:
    """A JSON value, laid out, without secrets."""
    value = settings.AUTONOMY_SECRETS.current().value(value)
    text = json.dumps(value, indent=2, ensure_ascii=False) if value not in (None, {}, []) else ""
    return block(text, empty=empty)
