"""Names asked of a real DNS server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from bot.links.names import PublicNames

RECORDS = {
    ("shop.test.", dns.rdatatype.A): ["93.184.216.34", "93.184.216.35"],
    ("shop.test.", dns.rdatatype.AAAA): ["2606:4700::1111"],
    ("evil.test.", dns.rdatatype.A): ["127.0.0.1"],
}


class Answering(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name = question.name.to_text().lower()
        if name.startswith("silent."):
            return
        response = dns.message.make_response(query)
        records = RECORDS.get((name, question.rdtype), [])
        if records:
            response.answer.append(
                dns.rrset.from_text(question.name, 60, "IN", question.rdtype, *records)
            )
        elif not any(known == name for known, _ in RECORDS):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def names(timeout_s: float = 60.0) -> AsyncIterator[PublicNames]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Answering, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]

    def make() -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = port
        return resolver

    try:
        yield PublicNames(timeout_s, make)
    finally:
        transport.close()


async def test_a_name_has_its_addresses_of_both_kinds() -> None:
    async with names() as resolver:
        found = await resolver.resolve("SHOP.test", 443, socket.AF_UNSPEC)
        assert {(entry["host"], entry["port"]) for entry in found} == {
            ("93.184.216.34", 443),
            ("93.184.216.35", 443),
            ("2606:4700::1111", 443),
        }
        only = await resolver.resolve("shop.test", 80, socket.AF_INET6)
        assert [entry["host"] for entry in only] == ["2606:4700::1111"]


async def test_a_name_without_an_address_is_an_error() -> None:
    async with names() as resolver:
        for name in ("none.test", "a..b", "x" * 300):
            with pytest.raises(OSError, match="no address"):
                await resolver.resolve(name, 80, socket.AF_UNSPEC)


async def test_names_of_this_machine_are_asked_of_nobody() -> None:
    async with names() as resolver:
        for name in ("localhost", "LOCALHOST.", "a.localhost"):
            found = await resolver.resolve(name, 80, socket.AF_UNSPEC)
            assert {entry["host"] for entry in found} == {"127.0.0.1", "::1"}


async def test_a_name_whose_server_is_silent_delays_no_other() -> None:
    async with names() as resolver:
        silent = [
            asyncio.create_task(resolver.resolve(f"silent.{n}.test", 80, socket.AF_UNSPEC))
            for n in range(100)
        ]
        assert await resolver.resolve("shop.test", 80, socket.AF_UNSPEC)
        assert not any(task.done() for task in silent)
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)


async def test_a_silent_server_is_waited_for_only_so_long() -> None:
    async with names(timeout_s=0.1) as resolver:
        with pytest.raises(OSError, match="no address"):
            await resolver.resolve("silent.test", 80, socket.AF_UNSPEC)


async def test_a_machine_without_a_resolver_reaches_nobody() -> None:
    def none() -> dns.asyncresolver.Resolver:
        raise dns.resolver.NoResolverConfiguration

    with pytest.raises(OSError, match="no address"):
        await PublicNames(1.0, none).resolve("shop.test", 80, socket.AF_UNSPEC)
