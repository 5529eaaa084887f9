"""Lists: newest first, a bounded page at a time."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

PARAMETERS = ("cursor", "limit")


class Pages(CursorPagination):
    """The address of a page says behind which row it begins."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"


def page(
    rows: QuerySet[Any],
    request: Request,
    *,
    by: str,
    shaped: Callable[[Sequence[Any]], list[dict[str, Any]]],
) -> Response:
    """One page of rows, in the shape in which they are told."""
    pages = Pages()
    pages.ordering = (by,)
    found = pages.paginate_queryset(rows.order_by(by), request)
    return pages.get_paginated_response(shaped(found or []))
