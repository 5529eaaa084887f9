"""Which addresses a request may be sent to: names are looked up once, and every answer is judged.

What was judged is what is connected to, so that a name cannot answer otherwise the second time.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from autonomy.sdk.errors import Permanent, Transient

Address = IPv4Address | IPv6Address

_NEVER = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),  # also where one cloud keeps its metadata
    IPv4Network("169.254.0.0/16"),
    IPv4Network("255.255.255.255/32"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),
)
_NAT64 = IPv6Network("64:ff9b::/96")


def resolved(host: str, port: int, *, local: bool) -> list[str]:
    """The addresses of a host, all of which may be reached; raises Permanent, Transient."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise Permanent(f"{host!r} is no name of a host: {error}") from None
    except OSError as error:
        raise Transient(f"{host} cannot be looked up: {error.strerror or error}") from None
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    for address in addresses:
        why = refusal(ip_address(address.partition("%")[0]), local=local)
        if why:
            raise Permanent(f"{host} is at {address}, {why}")
    return addresses


def refusal(address: Address, *, local: bool) -> str:
    """Why an address may not be reached; empty where it may."""
    for one in (address, *_inside(address)):
        if any(one in network for network in _NEVER if network.version == one.version):
            return "which no skill may reach"
        reserved = one.version == 4 and one.is_reserved  # of IPv6, loopback counts as reserved
        if one.is_multicast or one.is_unspecified or reserved:
            return "which no skill may reach"
        if not one.is_global and not local:
            return "which is not public; `local: true` in the skill file allows it"
    return ""


def _inside(address: Address) -> list[Address]:
    """Addresses that are written inside another one, and reached by it."""
    if isinstance(address, IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += address.teredo
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in found if one is not None]
