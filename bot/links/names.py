"""Addresses of names, asked of DNS without threads, so that one slow name delays no other.

The system's own resolver takes a thread for each question, of a pool that everything shares: some
names whose servers never answer would stop all the others. What it also reads (`/etc/hosts`, names
without a dot) leads to no public server anyway.
"""

import asyncio
import socket
from collections.abc import Callable

import dns.asyncresolver
import dns.exception
from aiohttp.abc import AbstractResolver, ResolveResult
from dns.rdatatype import RdataType
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

TIMEOUT_S = 2.5
_ADDRESSES_MAX = 8
#: Names that are this machine by definition (RFC 6761) and are asked of nobody.
_OWN_NAME = "localhost"
_KINDS = ((RdataType.A, socket.AF_INET), (RdataType.AAAA, socket.AF_INET6))


class PublicNames(AbstractResolver):
    """A resolver for `TCPConnector`. What it answers is not judged here; the socket's maker does.

    `make_resolver` gives the resolver that is asked; by default it reads `/etc/resolv.conf`.
    """

    def __init__(
        self,
        timeout_s: float = TIMEOUT_S,
        make_resolver: Callable[[], dns.asyncresolver.Resolver] = dns.asyncresolver.Resolver,
    ) -> None:
        self._timeout_s = timeout_s
        self._make_resolver = make_resolver
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises OSError when it has none or nobody answers."""
        kinds = [(record, kind) for record, kind in _KINDS if family in {kind, socket.AF_UNSPEC}]
        name = host.rstrip(".").lower()
        if name == _OWN_NAME or name.endswith(f".{_OWN_NAME}"):
            own = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
            return [_result(host, own[kind], port, kind) for _, kind in kinds]
        answers = await asyncio.gather(*(self._addresses(name, record) for record, _ in kinds))
        found = [
            _result(host, address, port, kind)
            for (_, kind), addresses in zip(kinds, answers, strict=True)
            for address in addresses[:_ADDRESSES_MAX]
        ]
        if not found:
            raise OSError(None, f"no address for {host}")
        return found

    async def close(self) -> None:
        """See `AbstractResolver`; nothing is held."""

    async def _addresses(self, name: str, record: RdataType) -> list[str]:
        try:
            if self._resolver is None:
                self._resolver = self._make_resolver()
            answer = await self._resolver.resolve(
                name, record, lifetime=self._timeout_s, search=False, raise_on_no_answer=False
            )
        except (dns.exception.DNSException, OSError, ValueError):
            # No such name, no answer, no resolver: whichever it is, there is no address.
            return []
        return [item.address for item in answer if isinstance(item, A | AAAA)]


def _result(host: str, address: str, port: int, kind: socket.AddressFamily) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
    )
