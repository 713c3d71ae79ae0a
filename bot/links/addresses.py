"""Which network addresses the fetcher may connect to.

The check sits where the socket is made, with the final address in hand: whatever spelling,
name, redirect or second DNS answer led there, nothing is connected before it is judged.
`ipaddress.is_global` is not enough (it lets multicast, 6to4, NAT64 and some cloud services
through), so the ranges are listed here.
"""

import errno
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohappyeyeballs import AddrInfoType

_DENIED_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier NAT, and some clouds' metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent on a public number
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
#: Only global unicast is routed; everything outside it is denied without naming it.
_UNICAST_V6 = IPv6Network("2000::/3")
_DENIED_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the old 6bone
        "3fff::/20",  # documentation
    )
)
#: ISATAP interface ids (RFC 5214) carry an IPv4 address in their last 32 bits.
_ISATAP_IDS = frozenset({0x00005EFE, 0x02005EFE})

#: HTTP and HTTPS.
WEB_PORTS = frozenset({80, 443})


class AddressRefusedError(OSError):
    """A connection that was not made, because its address or port is not a public web server's."""

    def __init__(self) -> None:
        # One text for all addresses: aiohappyeyeballs then raises it as it is.
        super().__init__(errno.EPERM, "address not allowed")


def is_public(address: str) -> bool:
    """Whether `address` (numeric, with or without a zone) is a public unicast address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def guarded_sockets(ports: frozenset[int]) -> Callable[[AddrInfoType], socket.socket]:
    """Makes sockets for `TCPConnector(socket_factory=…)`, to public addresses and `ports` only.

    What it returns raises `AddressRefusedError` for every other destination.
    """

    def make(addr_info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, sockaddr = addr_info
        if family not in {socket.AF_INET, socket.AF_INET6}:
            raise AddressRefusedError
        if not is_public(str(sockaddr[0])) or sockaddr[1] not in ports:
            raise AddressRefusedError
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in block for block in _DENIED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address not in _UNICAST_V6 or any(address in block for block in _DENIED_V6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP_IDS


def is_loopback(host: str) -> bool:
    """Whether a host, with a port or without, is this machine by its name alone."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
