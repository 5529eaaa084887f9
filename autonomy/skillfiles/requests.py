"""`http`: a request whose values are encoded for the place they stand in, never pasted in."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from autonomy.domain.amounts import BadAmount, seconds, size
from autonomy.sdk.errors import Permanent
from autonomy.sdk.templates import Template, plain
from autonomy.skillfiles.errors import WrongValue
from autonomy.skillfiles.places import At, Values, checked, filled, template, value_of
from autonomy.skillfiles.shape import Http
from autonomy.skillfiles.targets import PORTS, Request, host_of

CLIENT = "autonomy.skillfiles.outbound"
"""Loaded only where some skill asks over HTTP."""

_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
_REPEATABLE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


@dataclass(frozen=True)
class Asking:
    """A request with places for values."""

    http: Http
    url: Template
    headers: Mapping[str, Template]
    hosts: frozenset[str]

    @property
    def host(self) -> str:
        """Where it goes."""
        return host_in(self.http.url)

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is doing it once."""
        return self.http.method in _REPEATABLE or self.http.idempotency_header is not None

    def request(self, values: Values, key: str = "") -> Request:
        """The request for these values; raises Permanent for one that cannot be encoded."""
        http = self.http
        query = _pairs(http.query, values)
        address = self.url.filled(lambda name: _segment(name, value_of(name, values)))
        body, kind = self._body(values)
        headers = {name: _header(name, text, values) for name, text in self.headers.items()}
        if http.idempotency_header:
            headers[http.idempotency_header] = key
        return Request(
            method=http.method,
            url=_whole(address) + (f"?{query}" if query else ""),
            headers={"Accept-Encoding": "identity", **kind, **headers},
            body=body,
            seconds=seconds(http.timeout),
            most=size(http.most),
            redirects=http.redirects,
            hosts=self.hosts,
            local=http.local,
        )

    def _body(self, values: Values) -> tuple[bytes, dict[str, str]]:
        http = self.http
        if "json_body" in http.model_fields_set:
            content = json.dumps(filled(http.json_body, values), ensure_ascii=False)
            return content.encode(), {"Content-Type": "application/json"}
        if http.form is not None:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return _pairs(http.form, values).encode(), kind
        if http.text is not None:
            content = str(filled(http.text, values))
            return content.encode(), {"Content-Type": "text/plain; charset=utf-8"}
        return b"", {}


def asking_of(http: Http, known: frozenset[str], hosts: frozenset[str], at: At) -> Asking:
    """The request that a part of a skill file declares; raises WrongValue."""
    importlib.import_module(CLIENT)  # once, for all sessions to come
    url = template(http.url, known, (*at, "url"))
    _check_url(http.url, (*at, "url"))
    headers = {
        name: template(text, known, (*at, "headers", name)) for name, text in http.headers.items()
    }
    for name in (*http.headers, *filter(None, [http.idempotency_header])):
        _check_header(name, (*at, "headers", name))
    bodies = {"json_body", "form", "text"} & http.model_fields_set
    if len(bodies) > 1 or (bodies and http.method in ("GET", "HEAD")):
        raise WrongValue("give one of json, form and text, and none to GET or HEAD", at=at)
    for part in ("query", "form", "text"):
        checked(getattr(http, part), known, (*at, part))
    checked(http.json_body, known, (*at, "json"))
    for part, read in (("timeout", seconds), ("most", size)):
        try:
            read(getattr(http, part))
        except BadAmount as error:
            raise WrongValue(str(error), at=(*at, part)) from None
    own = host_in(http.url)
    if hosts and own not in hosts:
        raise WrongValue(
            f"{own} is not among the hosts of its scope; add it", at=("scope", "hosts")
        )
    return Asking(http, url, headers, hosts or frozenset({own}))


def host_in(url: str) -> str:
    """Where a request goes whose address may have places in its path."""
    return host_of(_without_places(url))


def _check_url(url: str, at: At) -> None:
    before_path = url.partition("://")[2].partition("/")[0]
    if "{" in before_path or "?" in before_path:
        raise WrongValue("an argument cannot choose the host; write https://host/… out", at=at)
    parts = _parts(url)
    if parts is None or not parts.hostname or parts.username is not None:
        raise WrongValue("write it as https://host/path, without a login", at=at)
    if parts.fragment or parts.query:
        raise WrongValue("put what follows ? under `query`, and leave out #", at=at)


def _parts(url: str) -> SplitResult | None:
    """Its parts; None for what is no address of HTTP, or has no port that there is."""
    try:
        parts = urlsplit(_without_places(url))
        return parts if parts.scheme in PORTS and parts.port != 0 else None
    except ValueError:
        return None


def _check_header(name: str, at: At) -> None:
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise WrongValue(f"{name!r} is no name of a header", at=at)
    if name.lower() in _OURS:
        raise WrongValue(f"{name} is set by the client; leave it out", at=at)


def _without_places(url: str) -> str:
    return Template.of(url).filled(lambda name: "x")


def _segment(name: str, value: Any) -> str:
    """A value inside one step of a path: it can be no step by itself that leads elsewhere."""
    text = plain(value) if isinstance(value, str | int | float) else ""
    if not text:
        raise Permanent(f"{name}={value!r} cannot be a part of an address")
    return quote(text, safe="")


def _whole(address: str) -> str:
    for step in urlsplit(address).path.split("/"):
        if unquote(step) in (".", ".."):
            raise Permanent(f"{address[:200]!r} leads to another path than the skill's")
    return address


def _header(name: str, text: Template, values: Values) -> str:
    value = text.filled(lambda place: plain(value_of(place, values)))
    if not value.isprintable() or not value.isascii():
        raise Permanent(f"the header {name} cannot hold {value[:100]!r}")
    return value


def _pairs(parts: Mapping[str, Any], values: Values) -> str:
    """Encoded for a query or a form; a list gives a pair for each item, null gives none."""
    pairs = []
    for key, value in filled(dict(parts), values).items():
        items = value if isinstance(value, list) else [value]
        pairs += [(key, plain(item)) for item in items if item is not None]
    return urlencode(pairs)
