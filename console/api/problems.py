"""What goes wrong, as `application/problem+json` with a stable code (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from autonomy.tasks.selectors.streams import TooMany

MEDIA_TYPE = "application/problem+json"
AGAIN = {"Retry-After": "5"}


class Problem(Exception):
    """Something a client is told; the code stays the same from version to version."""

    def __init__(self, code: str, detail: str, status: HTTPStatus) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Told:
    """An error as a client is told of it."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "token_refused",
    exceptions.PermissionDenied: "not_permitted",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.ParseError: "unreadable",
    exceptions.ValidationError: "invalid",
}


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to an error; None for one that nobody foresaw."""
    told = _told(error)
    if told is None:
        return None
    shape = {
        "type": f"urn:autonomy:problem:{told.code}",
        "title": HTTPStatus(told.status).phrase,
        "status": told.status,
        "code": told.code,
        "detail": told.detail,
        "request_id": context["view"].request_id,
    }
    return Response(shape, status=told.status, headers=dict(told.headers))


def _told(error: Exception) -> Told | None:
    match error:
        case Problem():
            return Told(error.status, error.code, str(error))
        case Http404():
            return Told(404, "not_found", "there is no such thing")
        case PermissionDenied():
            return Told(403, "not_permitted", "you may not see this")
        case TooMany(mine=True):
            return Told(429, "too_many_streams", str(error), AGAIN)
        case TooMany():
            return Told(503, "too_many_watchers", str(error), AGAIN)
        case OperationalError() | InterfaceError():
            return Told(503, "database_away", "the database cannot be reached just now", AGAIN)
        case exceptions.APIException():
            return _of_the_framework(error)
        case _:
            return None


def _of_the_framework(error: exceptions.APIException) -> Told:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "refused")
    challenge = getattr(error, "auth_header", None)
    headers = {"WWW-Authenticate": str(challenge)} if challenge else {}
    return Told(error.status_code, code, str(error.detail), headers)
