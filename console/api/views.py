"""What can be read: tasks, sessions and what they print, outcomes, figures."""

import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from autonomy.tasks.models import Session, Task
from autonomy.tasks.selectors import streams
from autonomy.tasks.selectors.output import printed
from console.api import pages, shapes
from console.api.door import Door
from console.api.problems import Problem
from console.selectors import ledger as outcomes
from console.selectors import tasks
from ledger.domain.figures import DAYS, MOST_DAYS
from ledger.selectors import headline

_LARGEST = 2**53  # whoever reads JSON in a browser counts no further


class Tasks(Door):
    """The tasks, newest first."""

    permission = "tasks.view_task"
    parameters = ("state", "skill", "run", *pages.PARAMETERS)

    def get(self, request: Request) -> Response:
        """A page of them."""
        asked = request.query_params
        try:
            rows = tasks.wanted(
                state=asked.get("state", ""),
                skill=asked.get("skill", ""),
                run=_id("run", asked.get("run", "")),
            )
        except tasks.UnknownState as error:
            raise _invalid(str(error)) from None
        return pages.page(
            rows,
            request,
            by="-id",
            shaped=lambda found: [shapes.task_line(line) for line in tasks.lines(found)],
        )


class TaskDetail(Door):
    """One task."""

    permission = "tasks.view_task"

    def get(self, request: Request, task_id: UUID) -> Response:
        """All of it but what its sessions print."""
        row = get_object_or_404(Task, pk=task_id)
        (line,) = tasks.lines([row])
        return Response(shapes.task_whole(line, row))


class SessionDetail(Door):
    """One session."""

    permission = "tasks.view_session"

    def get(self, request: Request, session_id: UUID) -> Response:
        """How it went and what it used."""
        return Response(shapes.session_whole(get_object_or_404(Session, pk=session_id)))


class EventStream(BaseRenderer):
    """Stands for the stream where the form of an answer is chosen; renders only problems."""

    media_type = "text/event-stream"
    format = "stream"

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        """In JSON."""
        rendered: bytes = JSONRenderer().render(data)
        return rendered


class Output(Door):
    """What a session prints: as JSON, or as it comes."""

    permission = "tasks.view_session"
    parameters = ("place",)
    renderer_classes = (JSONRenderer, EventStream)

    def get(self, request: Request, session_id: UUID) -> HttpResponseBase:
        """Everything after a place; with `Accept: text/event-stream` until the session ends."""
        session = get_object_or_404(Session, pk=session_id)
        named = request.headers.get("Last-Event-ID") or request.query_params.get("place") or "0"
        after = _number("place", named, most=_LARGEST)
        if not isinstance(request.accepted_renderer, EventStream):
            return Response(shapes.output(session, printed(session, after)))
        return streams.response(str(request.user), session, after)


class Outcomes(Door):
    """How tasks ended, newest first."""

    permission = "ledger.view_outcome"
    parameters = ("skill", "verdict", "state", *pages.PARAMETERS)

    def get(self, request: Request) -> Response:
        """A page of them."""
        names = ("skill", "verdict", "state")
        asked = {name: request.query_params.get(name, "") for name in names}
        return pages.page(
            outcomes.wanted(**asked),
            request,
            by="-task_id",
            shaped=lambda found: [shapes.outcome(line) for line in outcomes.lines(found)],
        )


class Figures(Door):
    """How well the platform did lately."""

    permission = "ledger.view_outcome"
    parameters = ("days",)

    def get(self, request: Request) -> Response:
        """The headline figures."""
        given = request.query_params.get("days", str(DAYS))
        days = _number("days", given, least=1, most=MOST_DAYS)
        return Response(asdict(headline(days)))


def _number(name: str, given: str, *, least: int = 0, most: int) -> int:
    if re.fullmatch(r"[0-9]{1,16}", given, re.ASCII) and least <= int(given) <= most:
        return int(given)
    raise _invalid(f"{name}: {given[:50]!r} is not a number from {least} to {most}")


def _id(name: str, given: str) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        raise _invalid(f"{name}: {given[:50]!r} is no id") from None


def _invalid(words: str) -> Problem:
    return Problem("invalid", words, HTTPStatus.BAD_REQUEST)
