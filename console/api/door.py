"""What every address of the API has in common: who asks, may they, how often, how it answers."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.problems import MEDIA_TYPE, Problem
from console.api.throttling import ADDRESSES
from ledger.domain.ids import new_id


class Door(APIView):
    """One address of the API."""

    permission = ""
    parameters: Sequence[str] = ()
    """What may be asked for in the query; anything else is refused, not overlooked."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Each request has an id, and counts, whoever asks."""
        self.request_id = str(new_id())
        self.allowance = ADDRESSES.count(str(request.META.get("REMOTE_ADDR", "")))
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks too often is not even looked up."""
        if self.allowance.overdrawn:
            words = "you ask too often; wait a little"
            raise Problem("too_many_requests", words, HTTPStatus.TOO_MANY_REQUESTS)
        super().initial(request, *args, **kwargs)
        if unknown := sorted(set(request.query_params) - set(self.parameters)):
            known = ", ".join(self.parameters) or "none"
            words = f"{unknown[0]!r} cannot be asked for here; what can is {known}"
            raise Problem("unknown_parameter", words, HTTPStatus.BAD_REQUEST)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """What every answer carries; a stream is passed on as well."""
        done = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.allowance.headers().items():
            done[name] = value
        done["X-Request-ID"] = self.request_id
        done["Cache-Control"] = "no-store"
        if done.status_code >= HTTPStatus.BAD_REQUEST:
            done.content_type = MEDIA_TYPE
        return done


class Nowhere(Door):
    """Every address that is none."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """There is nothing here, whoever asks."""
        raise Problem("not_found", "there is no such address", HTTPStatus.NOT_FOUND)
