"""Large files that owners ask to have read: under the same guard as every page."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from bot.links.downloads import opened
from bot.links.exchange import Exchange, Freshness, Opened
from bot.links.fetch import Fetcher, FetchError, FetchLimits
from tests.bot.links.test_fetch import Shop, serving

SMALL = FetchLimits(file_bytes_max=100_000, file_total_s=30.0)


def hosts(shop: Shop) -> frozenset[str]:
    return frozenset({f"127.0.0.1:{shop.port}"})


async def body_of(fetcher: Fetcher, shop: Shop, path: str = "/") -> bytes:
    async with fetcher.open(shop.url(path), hosts=hosts(shop)) as answer:
        return b"".join([part async for part in answer.parts])


async def test_a_file_comes_in_pieces_whatever_its_type_and_robots_txt() -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 90_000, content_type="application/x-anything")

    async with serving(handle) as shop, Fetcher(allowed_origins=shop.origin, limits=SMALL) as f:
        shop.robots = "User-agent: *\nDisallow: /"
        assert await body_of(f, shop) == b"x" * 90_000
        assert shop.robots_hits == 0
        assert shop.headers[0]["User-Agent"].startswith("Payontap/")


@pytest.mark.parametrize("packed", [False, True])
async def test_more_than_the_limit_is_refused_packed_or_not(*, packed: bool) -> None:
    async def handle(_: web.Request) -> web.Response:
        body = b"x" * 5_000_000
        headers = {"Content-Encoding": "gzip"} if packed else {}
        return web.Response(body=gzip.compress(body) if packed else body, headers=headers)

    async with serving(handle) as shop, Fetcher(allowed_origins=shop.origin, limits=SMALL) as f:
        with pytest.raises(FetchError) as refused:
            await body_of(f, shop)
        assert refused.value.code == "too_large"


async def test_a_redirect_is_followed_only_to_hosts_of_the_owner() -> None:
    async def handle(request: web.Request) -> web.Response:
        port = request.url.port
        to = {"/here": "/file", "/there": f"http://localhost:{port}/file", "/round": "/round"}
        if request.path in to:
            return web.Response(status=302, headers={"Location": to[request.path]})
        return web.Response(body=b"file")

    async with serving(handle) as shop:
        origins = shop.origin | {("localhost", shop.port)}
        async with Fetcher(allowed_origins=origins, limits=SMALL) as fetcher:
            assert await body_of(fetcher, shop, "/here") == b"file"
            with pytest.raises(FetchError, match="has not proven"):
                await body_of(fetcher, shop, "/there")
            assert shop.hits == ["/here", "/file", "/there"]
            with pytest.raises(FetchError) as refused:
                await body_of(fetcher, shop, "/round")
            assert refused.value.code == "too_many_redirects"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433"]
)
async def test_no_private_address_is_reached_even_if_somebody_has_proven_it(host: str) -> None:
    async with Fetcher(limits=SMALL) as fetcher:
        names = frozenset({host, "127.0.0.1", "[::1]"})
        with pytest.raises(FetchError) as refused:
            async with fetcher.open(f"http://{host}/", hosts=names):
                pytest.fail("It was opened.")
        assert refused.value.code == "forbidden_address"


async def test_validators_are_sent_and_an_unchanged_file_is_told() -> None:
    async def handle(request: web.Request) -> web.Response:
        known = request.headers.get("If-None-Match") == '"1"'
        return web.Response(status=304 if known else 200, headers={"ETag": '"1"'})

    async with serving(handle) as shop, Fetcher(allowed_origins=shop.origin, limits=SMALL) as f:
        async with f.open(shop.url(), hosts=hosts(shop)) as answer:
            assert (answer.status, answer.freshness.etag) == (200, '"1"')
        checks = {"If-None-Match": '"1"'}
        async with f.open(shop.url(), hosts=hosts(shop), validators=checks) as answer:
            assert answer.status == 304


async def test_a_server_that_takes_too_long_is_left() -> None:
    held = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        with suppress(ConnectionError):
            await held.wait()
        return response

    limits = FetchLimits(file_total_s=0.5)
    async with serving(handle) as shop, Fetcher(allowed_origins=shop.origin, limits=limits) as f:
        with pytest.raises(FetchError) as refused:
            await body_of(f, shop)
        held.set()
        assert refused.value.code == "timeout"


class Leading(Exchange):
    """Servers that lead from one address to the next, without a network."""

    def __init__(self, ways: Mapping[str, str]) -> None:
        self.ways = ways
        self.asked: list[str] = []

    async def admit(self, target: str) -> None:
        """All are admitted."""

    @asynccontextmanager
    async def open(
        self, target: str, validators: dict[str, str], *, bytes_max: int, total_s: float
    ) -> AsyncIterator[Opened]:
        assert (validators, bytes_max, total_s) == ({}, 100_000, 30.0)
        self.asked.append(target)
        to = self.ways.get(target)
        yield Opened(302 if to else 200, "", None, to, Freshness(), None, nothing())


async def nothing() -> AsyncIterator[bytes]:
    yield b""


@pytest.mark.parametrize(
    ("begin", "to", "followed"),
    [
        ("https://shop.example/a", "https://shop.example/b", True),
        ("http://shop.example/a", "https://shop.example/b", True),
        ("https://shop.example/a", "http://shop.example/b", False),
    ],
)
async def test_nobody_is_led_from_https_to_http(begin: str, to: str, *, followed: bool) -> None:
    exchange = Leading({begin: to})
    proven = frozenset({"shop.example"})
    if followed:
        async with opened(exchange, begin, proven, {}, SMALL) as answer:
            assert answer.status == 200
    else:
        with pytest.raises(FetchError, match="from https to http"):
            async with opened(exchange, begin, proven, {}, SMALL):
                pytest.fail("It was followed.")
    assert exchange.asked == [begin, to][: 1 + followed]
