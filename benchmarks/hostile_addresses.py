"""Ways to lead a fetcher into the machine that it runs on, and a listener that counts who came.

Used by `benchmarks.links` and by the tests. A hit is any TCP connection that the listener accepts;
`plain_hits` says how many of the spellings an unguarded client (aiohttp as it comes) is led by.
"""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.links.fetch import Fetcher, FetchError, FetchLimits, Kind

_LOOPBACK_V4 = "127.0.0.1"
_LOOPBACK_V6 = "::1"
_TOTAL_S = 2.0
_AT_ONCE = 50
_LATE_S = 0.05
_STATUS_OK = range(200, 300)
_STATUSES = (301, 302, 303, 307, 308)
_KINDS: tuple[Kind, ...] = ("html", "image", "text", "json")

_NAMES = """
localhost LOCALHOST LocalHost localhost. localhost.. localhost.localdomain ip6-localhost
ip6-loopback a.localhost localtest.me 127.0.0.1.nip.example 127-0-0-1.sslip.example
spoofed.example loopback 0x7f000001.example metadata.internal kubernetes.default.svc
host.docker.internal ｌｏｃａｌｈｏｓｔ ℓocalhost loc\u00adalhost loc\u200balhost 𝓵𝓸𝓬𝓪𝓵𝓱𝓸𝓼𝓽
ⓛⓞⓒⓐⓛⓗⓞⓢⓣ %6c%6f%63%61%6c%68%6f%73%74 xn--localhost LOCALHOST%2e
"""
_V4 = """
127.0.0.1 127.1 127.0.1 127.00.00.01 127.000.000.001 0127.0.0.1 00000127.0.0.1
0177.0.0.1 0177.1 0177.0.0.01 00177.0x0.0.1 0x7f.1 0x7f.0.0.1 0X7F.0.0.1
0x7f.0x0.0x0.0x1 0x7F000001 0x7f000001 0x000000007f000001 2130706433 017700000001
0017700000001 127.0x1 127.65536 127.0.256 127.0.0.1. 127.1. 2130706433. 0x7f000001.
127.0.0.0x1 127.0.0.00000000001 4294967296 6425673729 0 00 0x0 0.0 0.0.0.0 0.0.0.0.
127.0.0.2 127.255.255.254 127.127.127.127 127.0.0.1%00 127.0.0.1%20 127.0.0.1%09
127.0.0.1%0a 127.0.0.1%2e 127%2e0%2e0%2e1 %31%32%37.0.0.1 127.0.0%2e1
%31%32%37%2e%30%2e%30%2e%31 1２7.0.0.1 １２７.０.０.１ ①②⑦.⓪.⓪.① ¹²⁷.⁰.⁰.¹ ₁₂₇.₀.₀.₁ 𝟏𝟐𝟕.𝟎.𝟎.𝟏
𝟙𝟚𝟟.𝟘.𝟘.𝟙 ١٢٧.٠.٠.١ 127。0。0。1 127．0．0．1 127｡0｡0｡1 127。1 ０ｘ７ｆ．１ 127.0.0.1\u200b
127\u00ad.0.0.1 127.0\u2060.0.1 +127.0.0.1 -127.0.0.1 127..0.0.1 127.0.0.1:80 127.0.0.1:
"""
_V6 = """
[::1] [::] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0001] [0::1]
[::1]. [::%31] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::FFFF:127.0.0.1]
[::ffff:7f00:1] [::ffff:0:127.0.0.1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0x7f.1]
[::ffff:127.1] [::1%25lo] [::1%lo] [::1]@127.0.0.1 [v1.127.0.0.1] [127.0.0.1]
"""
#: Private addresses elsewhere; an unguarded client is not sent there.
_ELSEWHERE = """
169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 10.0.0.1 192.168.0.1
172.16.0.1 100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.192 198.18.0.1 224.0.0.1
255.255.255.255 240.0.0.1 4294967295 0.1.2.3 [fe80::1] [fe80::1%25lo] [fe80::5efe:127.0.0.1]
[2600::5efe:7f00:1] [2600::200:5efe:7f00:1] [fec0::1] [fc00::1] [fd00::1] [fd00:ec2::254]
[ff02::1] [ff01::1] [2001:db8::1] [3fff::1] [100::1] [5f00::1] [::ffff:169.254.169.254]
[::ffff:a9fe:a9fe] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1]
[2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] [2001::1] [2001:0:0:0:0:0:80ff:fffe]
"""
#: Whole addresses: `{p}` is the listener's port.
_ADDRESSES = (
    "http:127.0.0.1:{p}/", "http:/127.0.0.1:{p}/", "http:///127.0.0.1:{p}/",
    "http:\\\\127.0.0.1:{p}\\", "http:////127.0.0.1:{p}/", "HTTP://127.0.0.1:{p}/",
    "hTTp:\\/127.0.0.1:{p}", "https://127.0.0.1:{p}/", "https:127.0.0.1:{p}", "//127.0.0.1:{p}/",
    "\\\\127.0.0.1:{p}\\", "127.0.0.1:{p}", "http://a.example@127.0.0.1:{p}/",
    "http://a:b@127.0.0.1:{p}/", "http://@127.0.0.1:{p}/", "http://:@127.0.0.1:{p}/",
    "http://a.example%40127.0.0.1:{p}/", "http://127.0.0.1:{p}@a.example/",
    "http://127.0.0.1:{p}#@a.example/", "http://127.0.0.1:{p}?@a.example/",
    "http://127.0.0.1:{p}\\@a.example/", "http://a.example\\@127.0.0.1:{p}/",
    "http://a.example#@127.0.0.1:{p}/", "http://a.example?@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}/@a.example", "http://127.0.0.1:{p};a.example/",
    "http://127.0.0.1:{p},a.example/", "http://127.0.0.1:{p} a.example/",
    "http://127.0.0.1:{p}\t@a.example/", "http://127.0.0.1:{p}\r\nHost: a.example/",
    "ht\ntp://127.0.0.1:{p}/", "\thttp://127.0.0.1:{p}/", "\x00http://127.0.0.1:{p}/",
    " http://127.0.0.1:{p}/ ", "http://127.0.0.1:0{p}/", "http://127.0.0.1:{p}/../",
    "http://[::1]:{p}\\x", "http://127.0.0.1:{p}/%2e%2e/", "ftp://127.0.0.1:{p}/",
    "gopher://127.0.0.1:{p}/_x", "dict://127.0.0.1:{p}/x", "ws://127.0.0.1:{p}/",
    "ldap://127.0.0.1:{p}/", "file://127.0.0.1/etc/hosts", "file:///etc/hosts",
    "jar:http://127.0.0.1:{p}!/", "view-source:http://127.0.0.1:{p}/",
    "javascript:fetch('http://127.0.0.1:{p}/')", "blob:http://127.0.0.1:{p}/x",
    "data:text/html,<meta http-equiv=refresh content='0;url=http://127.0.0.1:{p}/'>",
    "unix:///run/x.sock", "http://127.0.0.1:{p}/\u2028", "http://\u2025127.0.0.1:{p}/",
    "http://a.example:{p}@127.0.0.1:{p}/",
)  # fmt: skip
#: What a hostile DNS may answer.
_ANSWERS = (
    (_LOOPBACK_V4,), (_LOOPBACK_V6,), ("::ffff:127.0.0.1",), ("::",), ("127.0.0.2",),
    ("10.0.0.1",), ("169.254.169.254",), ("168.63.129.16",), ("100.100.100.200",),
    ("fd00:ec2::254",), ("fe80::1%lo",), ("64:ff9b::7f00:1",), ("2002:7f00:1::",), ("::127.0.0.1",),
    ("192.0.2.1", _LOOPBACK_V4), (_LOOPBACK_V4, _LOOPBACK_V6), ("::1", "::ffff:7f00:1"),
    ("0.0.0.0",),  # noqa: S104 - an answer to refuse
)  # fmt: skip


def spellings() -> list[str]:
    """Every way to write a host that is, or resolves to, this machine."""
    return [*_NAMES.split(), *_V4.split(), *_V6.split()]


def addresses(port: int) -> list[str]:
    """Every address that leads, or might, to a listener of this machine on `port`."""
    hosts = [f"http://{host}:{port}/" for host in spellings()]
    return [*hosts, *(address.replace("{p}", str(port)) for address in _ADDRESSES)]


@dataclass
class Listener:
    """A port of this machine, on every loopback address that can be had; counts connections."""

    port: int
    hits: int = 0
    seen: list[str] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Any connection is a hit, whatever is said on it."""
        self.hits += 1
        self.seen.append((await reader.read(300)).split(b"\r\n")[0].decode("latin-1"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A `Listener` until the block ends."""
    with socket.create_server((_LOOPBACK_V4, 0)) as first:
        listener = Listener(first.getsockname()[1])
        servers = [await asyncio.start_server(listener.answer, sock=first)]
        for host in ("127.0.0.2", _LOOPBACK_V6):
            try:
                servers.append(await asyncio.start_server(listener.answer, host, listener.port))
            except OSError:
                continue  # a machine without this address has one way in less
        try:
            yield listener
        finally:
            for server in servers:
                server.close()


class HostileNames(AbstractResolver):
    """A DNS that leads every name into this machine; a name gets its answers in turn."""

    def __init__(self, answers: tuple[tuple[str, ...], ...] = _ANSWERS) -> None:
        self._answers = itertools.cycle(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The next of the answers."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in next(self._answers)
        ]

    async def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def leading_on() -> AsyncIterator[int]:
    """A server whose every page leads to `?to=` by status `?how=`, also its robots.txt; its port.

    It writes what it is told, byte by byte: no library keeps it from breaking a header.
    """

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode("latin-1")
        said = parse_qs(urlsplit(request).query, errors="surrogateescape")
        target = said.get("to", ["/"])[0].encode("utf-8", "surrogateescape")
        how = said.get("how", ["302"])[0]
        if how == "refresh":
            body = b'<meta http-equiv="refresh" content="0;url=' + target + b'">'
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        else:
            body = b""
            head = f"HTTP/1.1 {how} On\r\n".encode() + b"Location: " + target + b"\r\n"
        writer.write(head + b"Connection: close\r\n\r\n" + body)
        writer.close()

    server = await asyncio.start_server(lead, _LOOPBACK_V4, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass(frozen=True)
class Attempts:
    """How many ways were tried, how many connections came of them, and at which requests."""

    tried: int
    hits: int
    seen: tuple[str, ...]


async def attempt_all() -> Attempts:
    """Try every way on a `Fetcher` that is as free as it can be: the port allowed, no pace."""
    async with listening() as listener, leading_on() as hop:
        limits = FetchLimits(
            ports=frozenset({listener.port}), host_burst=100_000, negative_s=0, total_s=_TOTAL_S
        )
        allowed = frozenset({(_LOOPBACK_V4, hop)})
        tried = 0
        async with Fetcher(
            limits=limits, allowed_origins=allowed, resolver=HostileNames()
        ) as fetcher:
            for batch in _batches(_ways(listener.port, hop)):
                await asyncio.gather(*(_try(fetcher, url, kind) for url, kind in batch))
                tried += len(batch)
        await asyncio.sleep(_LATE_S)
        return Attempts(tried, listener.hits, tuple(listener.seen))


async def plain_hits() -> int:
    """How many of the addresses lead an unguarded client to the listener."""
    async with listening() as listener:
        timeout = aiohttp.ClientTimeout(total=_TOTAL_S)
        connector = aiohttp.TCPConnector(resolver=HostileNames(((_LOOPBACK_V4,),)))
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

            async def reaches(url: str) -> bool:
                try:
                    async with session.get(url) as response:
                        return response.status in _STATUS_OK
                except (aiohttp.ClientError, ValueError, OSError):
                    return False

            return sum(await asyncio.gather(*map(reaches, addresses(listener.port))))


def _ways(port: int, hop: int) -> Iterator[tuple[str, Kind]]:
    kinds = itertools.cycle(_KINDS)
    hows = itertools.cycle([*_STATUSES, "refresh"])
    elsewhere = (f"http://{host}:{port}/" for host in _ELSEWHERE.split())
    for url in (*addresses(port), *elsewhere):
        yield url, "html"
        yield f"http://{_LOOPBACK_V4}:{hop}/?how={next(hows)}&to={quote(url)}", "html"
    for url in (f"http://{host}:{port}/" for host in ("127.0.0.1", "[::1]", "localhost", "0")):
        for how in (*_STATUSES, "refresh"):
            yield f"http://{_LOOPBACK_V4}:{hop}/{how}?how={how}&to={quote(url)}", next(kinds)
    # A name that is asked for again and again, while its DNS changes its mind.
    for n in range(len(_ANSWERS) * 2):
        yield f"http://{n}.rebinding.example:{port}/", "html"
        yield f"http://rebinding.example:{port}/{n}", next(kinds)


def _batches(ways: Iterator[tuple[str, Kind]]) -> Iterator[list[tuple[str, Kind]]]:
    while batch := list(itertools.islice(ways, _AT_ONCE)):
        yield batch


async def _try(fetcher: Fetcher, url: str, kind: Kind) -> None:
    try:
        await fetcher.get(url, accept=kind)
    except FetchError:
        return  # refused, as it should be; the listener says whether it was reached before
