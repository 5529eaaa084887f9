"""No request is sent to an address inside, however it is written (security 4.7)."""

from ipaddress import ip_address

import pytest

from autonomy.sdk.errors import Permanent, Transient
from autonomy.skillfiles.addresses import refusal, resolved

NEVER = [
    "0.0.0.1", "0.1.2.3", "169.254.169.254", "100.64.0.1", "100.100.100.200", "255.255.255.255",
    "224.0.0.1", "240.0.0.1", "fe80::1", "fd00:ec2::254", "ff02::1", "::",
    "::ffff:169.254.169.254", "2002:a9fe:a9fe::", "64:ff9b::a9fe:a9fe",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "::1", "fc00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "192.0.2.1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111"]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("local", [True, False])
def test_some_addresses_are_never_reached(address: str, local: bool) -> None:
    assert refusal(ip_address(address), local=local)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_only_where_the_file_says_so(address: str) -> None:
    assert "local: true" in refusal(ip_address(address), local=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fc00::1"])
def test_where_the_file_says_so_they_are(address: str) -> None:
    assert refusal(ip_address(address), local=True) == ""


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_are_reached(address: str) -> None:
    assert refusal(ip_address(address), local=False) == ""


@pytest.mark.parametrize(
    "host", ["127.1", "0", "2130706433", "0x7f.1", "0177.0.0.1", "::1", "localhost"]
)
def test_other_ways_to_write_loopback_are_the_same_address(host: str) -> None:
    with pytest.raises(Permanent):
        resolved(host, 80, local=False)


@pytest.mark.parametrize("host", ["a" * 70 + ".test", "a..b"])
def test_what_is_no_name_is_never_tried_again(host: str) -> None:
    with pytest.raises(Permanent, match="no name of a host"):
        resolved(host, 80, local=False)


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    with pytest.raises(Transient, match="cannot be looked up"):
        resolved("nobody.invalid", 80, local=False)
