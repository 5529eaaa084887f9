"""What a session prints, on its page and on that of its task: text that grows where scripts run."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from autonomy.tasks.admin.shown import Html, block
from autonomy.tasks.models import Session
from autonomy.tasks.selectors import streams
from autonomy.tasks.selectors.output import printed

_NOTHING_YET = SafeString('<pre class="ledger-text"></pre>')


def output(session: Session | None) -> Html:
    """All that can be read of it now; of a session that runs, the script adds the rest."""
    if session is None:
        return "It has not run yet."
    seen = printed(session)
    if seen.ended:
        return block(seen.shown, empty="It printed nothing.")
    return format_html(
        '<div class="shown-live" data-live="{}" data-place="{}">'
        '<p role="status" class="shown-live-state">It runs. Reload to see what it prints next.</p>'
        '<div class="shown-live-text" tabindex="0" role="log" aria-label="output">{}</div></div>',
        reverse("admin:tasks_session_output", args=[session.pk]),
        seen.place,
        block(seen.shown, empty=_NOTHING_YET),
    )


def stream(request: HttpRequest, session_id: str) -> HttpResponseBase:
    """The same for the script: server-sent events from a place on."""
    if not request.user.has_perm("tasks.view_session"):
        raise PermissionDenied
    session = get_object_or_404(Session, pk=session_id)
    given = request.headers.get("Last-Event-ID") or request.GET.get("place") or ""
    after = int(given) if given.isdecimal() and given.isascii() and len(given) < 16 else 0
    try:
        return streams.response(request.user.get_username(), session, after)
    except streams.TooMany as error:
        status = 429 if error.mine else 503
        return HttpResponse(str(error), status=status, headers={"Retry-After": "5"})
