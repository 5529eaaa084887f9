"""Where a request goes, and whether it may go there."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from autonomy.sdk.errors import Permanent

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Request:
    """One request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    most: int
    redirects: int
    hosts: frozenset[str]
    """Where it may go: `host`, or `host:port` for another port than the scheme's."""
    local: bool


def checked(url: str, hosts: frozenset[str]) -> tuple[str, int]:
    """The host and port of an address that may be asked for; raises Permanent."""
    try:
        target = urlsplit(url)
        port = target.port or PORTS.get(target.scheme, 0)
    except ValueError as error:
        raise Permanent(f"{url[:200]!r}: {error}") from None
    if target.scheme not in PORTS or target.username is not None or not target.hostname:
        raise Permanent(f"{url[:200]!r} is no address of HTTP without a login in it")
    if host_of(url) not in hosts:
        raise Permanent(f"{host_of(url)} is not among the hosts of its scope")
    return target.hostname, port


def host_of(url: str) -> str:
    """`host`, or `host:port` where the port is not the scheme's own."""
    target = urlsplit(url)
    usual = target.port in (None, PORTS.get(target.scheme))
    return f"{target.hostname}" if usual else f"{target.hostname}:{target.port}"


def origin(url: str) -> tuple[str, str]:
    """Scheme and host: what a browser calls the origin."""
    return urlsplit(url).scheme, host_of(url)
