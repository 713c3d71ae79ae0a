"""Which addresses are the public web's."""

import pytest

from bot.links.addresses import is_loopback, is_public


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1",
     "2606:4700::1111", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888"],
)  # fmt: skip
def test_a_public_address_may_be_connected_to(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "172.16.0.1",
     "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
     "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
     "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
     "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
     "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::",
     "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
     "fe80::1%eth0", "fec0::1", "ff02::1", "2600::5efe:7f00:1", "2600::200:5efe:a00:1",
     "localhost", "", "1.2.3", "0x7f000001", "127.1",
     "0.0.0.0"],  # noqa: S104 (an address to refuse)
)  # fmt: skip
def test_every_other_address_may_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("127.0.0.1.shop.example", False),
        ("shop.example:443", False),
        ("10.0.0.1", False),
        ("", False),
        ("[", False),
    ],
)
def test_this_machine_is_known_by_its_name(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback
