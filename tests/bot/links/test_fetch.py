"""Fetching from real servers on loopback."""

import asyncio
import gzip
import resource
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.links.fetch import FetchCode, Fetcher, FetchError, FetchLimits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE = "<title>Tea</title>"


@dataclass
class Shop:
    """A server on loopback that counts what reaches it."""

    port: int = 0
    hits: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def origin(self) -> frozenset[tuple[str, int]]:
        return frozenset({("127.0.0.1", self.port)})


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Shop]:
    shop = Shop()

    async def count(request: web.Request) -> web.StreamResponse:
        shop.hits.append(request.path_qs)
        shop.headers.append(dict(request.headers))
        return await handler(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", count)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    shop.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    try:
        yield shop
    finally:
        await runner.cleanup()


async def page(_: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def code_of(fetcher: Fetcher, url: str) -> FetchCode | None:
    try:
        await fetcher.get(url)
    except FetchError as error:
        return error.code
    return None


class Answers(AbstractResolver):
    """A resolver that gives each name the next of its addresses."""

    def __init__(self, **addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        known = self._addresses[host.split(".", maxsplit=1)[0]]
        address = known.pop(0) if len(known) > 1 else known[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is held."""


LOOPBACK_SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0X7F.0.0.1", "2130706433",
    "017700000001", "0177.0.0.1", "0177.1", "127.0.0.1.", "0", "00000.0", "127.000.000.001",
    "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "127．0．0．1", "%31%32%37.0.0.1",
    "127.0.0%2e1", "localhost", "LOCALHOST", "localhost.", "ｌｏｃａｌｈｏｓｔ",
    "loc\u00adalhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[fe80::1]", "[::1%25lo]", "127.0.0.2", "127.255.255.254",
    "0x7f.0x0.0x0.0x1", "4294967296", "user@127.0.0.1", "127.0.0.1\t",
    "127.0.0.1\\@example.com", "localhost.localdomain", "ip6-localhost",
    "0.0.0.0",  # noqa: S104 (an address to refuse)
]  # fmt: skip


async def test_no_spelling_of_loopback_reaches_a_listener() -> None:
    async with serving(page) as shop:
        limits = FetchLimits(
            ports=frozenset({shop.port}), host_burst=1000, negative_s=0, total_s=1.0
        )
        async with Fetcher(limits=limits) as fetcher:
            for host in LOOPBACK_SPELLINGS:
                with pytest.raises(FetchError):
                    await fetcher.get(f"http://{host}:{shop.port}/")
        assert shop.hits == []


async def test_names_that_resolve_to_private_addresses_reach_nobody() -> None:
    addresses = [
        "127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254",
        "64:ff9b::7f00:1", "fe80::1",
        "0.0.0.0",  # noqa: S104 (an address to refuse)
    ]  # fmt: skip
    async with serving(page) as shop:
        limits = FetchLimits(ports=frozenset({shop.port}), host_burst=1000)
        for address in addresses:
            resolver = Answers(evil=[address])
            async with Fetcher(limits=limits, resolver=resolver) as fetcher:
                assert await code_of(fetcher, shop.url(host="evil.test")) == "forbidden_address"
        assert shop.hits == []


async def test_a_second_answer_of_the_resolver_is_judged_like_the_first() -> None:
    async with serving(page) as shop:
        limits = FetchLimits(ports=frozenset({shop.port}), host_burst=9, total_s=0.3, negative_s=0)
        resolver = Answers(evil=["192.0.2.1", "127.0.0.1"])
        async with Fetcher(limits=limits, resolver=resolver) as fetcher:
            for path in ("/a", "/b", "/c"):
                assert await code_of(fetcher, shop.url(path, host="evil.test")) is not None
        assert shop.hits == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_into_the_private_network_ends_there(status: int) -> None:
    async with serving(page) as inner:

        async def lead_in(request: web.Request) -> web.Response:
            target = request.query["to"]
            return web.Response(status=status, headers={"Location": target})

        async with serving(lead_in) as outer:
            limits = FetchLimits(ports=frozenset({inner.port}))
            async with Fetcher(allowed_origins=outer.origin, limits=limits) as fetcher:
                for host in ("127.0.0.1", "localhost", "[::1]", "2130706433"):
                    target = f"http://{host}:{inner.port}/"
                    assert await code_of(fetcher, outer.url(f"/?to={target}")) == (
                        "forbidden_address"
                    )
                for target in ("file:///etc/hosts", "gopher://127.0.0.1/", "http://u:p@a.test/"):
                    assert await code_of(fetcher, outer.url(f"/?to={target}")) == "bad_response"
        assert inner.hits == []


async def test_an_allowed_origin_is_exempt_by_host_and_port_and_nothing_else_is() -> None:
    async with serving(page) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        assert (await fetcher.get(shop.url("/p#top"))).body == PAGE.encode()
        assert await code_of(fetcher, shop.url("/p", host="localhost")) == "forbidden_port"
        assert await code_of(fetcher, "http://127.0.0.1/") == "forbidden_address"
        assert shop.hits == ["/p"]


async def test_a_name_that_resolves_to_an_allowed_origin_is_not_that_origin() -> None:
    async with serving(page) as shop:
        limits = FetchLimits(ports=frozenset({shop.port}))
        async with Fetcher(
            allowed_origins=shop.origin, limits=limits, resolver=Answers(evil=["127.0.0.1"])
        ) as fetcher:
            assert await code_of(fetcher, shop.url(host="evil.test")) == "forbidden_address"
        assert shop.hits == []


@pytest.mark.parametrize(
    "url", ["ftp://a.test/", "http://u:p@a.test/", "nonsense", "", "file:///etc/passwd"]
)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    async with Fetcher() as fetcher:
        assert await code_of(fetcher, url) == "bad_url"


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 8080])
async def test_other_ports_than_the_webs_are_refused(port: int) -> None:
    async with Fetcher() as fetcher:
        assert await code_of(fetcher, f"http://a.test:{port}/") == "forbidden_port"


async def test_redirects_are_followed_and_told() -> None:
    async def lead_on(request: web.Request) -> web.Response:
        step = int(request.query.get("n", "0"))
        if step == 3:
            return await page(request)
        return web.Response(status=302, headers={"Location": f"/x?n={step + 1}&utm_source=a"})

    async with serving(lead_on) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        fetched = await fetcher.get(shop.url())
        assert fetched.url_final == shop.url("/x?n=3&utm_source=a")
        assert len(fetched.hops) == 3
        assert fetched.hops[0] == shop.url()


async def test_the_sixth_redirect_is_not_followed() -> None:
    async def lead_on(request: web.Request) -> web.Response:
        step = int(request.query.get("n", "0"))
        return web.Response(status=302, headers={"Location": f"/?n={step + 1}"})

    async with serving(lead_on) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        assert await code_of(fetcher, shop.url()) == "too_many_redirects"
        assert len(shop.hits) == 6


def gzipped_zeros(size_mb: int) -> bytes:
    return gzip.compress(bytes(1024 * 1024) * size_mb, compresslevel=9)


async def test_a_gzip_bomb_is_cut_long_before_it_is_unpacked() -> None:
    bomb = gzipped_zeros(300)

    async def explode(_: web.Request) -> web.Response:
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
        return web.Response(body=bomb, headers=headers)

    async with serving(explode) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert await code_of(fetcher, shop.url()) == "too_large"
        unit = 1 if sys.platform == "darwin" else 1024
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
        assert grown < 60_000_000


async def test_an_endless_page_is_cut() -> None:
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async with serving(pour) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        assert await code_of(fetcher, shop.url()) == "too_large"


async def test_a_slow_drip_is_cut_by_the_total_time() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while True:
            await response.write(b"<")
            await asyncio.sleep(0.02)

    async with (
        serving(drip) as shop,
        Fetcher(allowed_origins=shop.origin, limits=FetchLimits(total_s=0.3)) as fetcher,
    ):
        assert await code_of(fetcher, shop.url()) == "timeout"


async def test_a_file_of_another_kind_is_refused_and_a_status_is_told() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/gone":
            return web.Response(status=404, text="no")
        if request.path == "/svg":
            return web.Response(body=b"<svg/>", content_type="image/svg+xml")
        return web.Response(body=b"%PDF", content_type="application/pdf")

    async with serving(answer) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        assert await code_of(fetcher, shop.url("/pdf")) == "content_type"
        with pytest.raises(FetchError) as caught:
            await fetcher.get(shop.url("/gone"))
        assert (caught.value.code, caught.value.status) == ("status", 404)
        with pytest.raises(FetchError) as caught:
            await fetcher.get(shop.url("/svg"), accept="image")
        assert caught.value.code == "content_type"


async def test_a_server_that_is_not_there_or_speaks_no_http_is_an_error_in_words() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01garbage\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as unused:
        free = unused.getsockname()[1]
    allowed = frozenset({("127.0.0.1", port), ("127.0.0.1", free)})
    async with server, Fetcher(allowed_origins=allowed) as fetcher:
        assert await code_of(fetcher, f"http://127.0.0.1:{port}/") == "bad_response"
        assert await code_of(fetcher, f"http://127.0.0.1:{free}/") == "unreachable"


async def test_one_request_serves_all_who_ask_at_once_and_the_cache_those_after() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return await page(request)

    async with serving(slow) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        await asyncio.gather(*(fetcher.get(shop.url()) for _ in range(20)))
        await fetcher.get(shop.url())
        assert len(shop.hits) == 1
        await fetcher.get(shop.url(), fresh=True)
        assert len(shop.hits) == 2


async def test_a_kept_page_grows_old() -> None:
    now = [0.0]
    async with (
        serving(page) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        await fetcher.get(shop.url())
        now[0] = 299.0
        await fetcher.get(shop.url())
        assert len(shop.hits) == 1
        now[0] = 301.0
        await fetcher.get(shop.url())
        assert len(shop.hits) == 2


async def test_a_failure_is_remembered_for_a_while() -> None:
    now = [0.0]

    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=500)

    async with (
        serving(broken) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        assert await code_of(fetcher, shop.url()) == "status"
        assert await code_of(fetcher, shop.url()) == "status"
        assert len(shop.hits) == 1
        now[0] = 31.0
        assert await code_of(fetcher, shop.url()) == "status"
        assert len(shop.hits) == 2


async def test_one_who_stops_waiting_does_not_take_the_page_from_the_others() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        return await page(request)

    async with serving(slow) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        first = asyncio.create_task(fetcher.get(shop.url()))
        second = asyncio.create_task(fetcher.get(shop.url()))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second).body == PAGE.encode()


async def test_the_fetcher_says_who_it_is_and_keeps_no_cookies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def bake(_: web.Request) -> web.Response:
        headers = {"Set-Cookie": "track=1"}
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    async with (
        serving(bake) as shop,
        Fetcher(contact="mailto:owner@shop.test", allowed_origins=shop.origin) as fetcher,
    ):
        await fetcher.get(shop.url("/a"))
        await fetcher.get(shop.url("/b"))
        assert "mailto:owner@shop.test" in shop.headers[0]["User-Agent"]
        assert all("Cookie" not in headers for headers in shop.headers)


async def test_many_links_to_one_strange_host_are_paced_then_refused() -> None:
    limits = FetchLimits(host_burst=2, host_wait_s_max=0.0)
    resolver = Answers(evil=["127.0.0.1"])
    async with Fetcher(limits=limits, resolver=resolver) as fetcher:
        codes = [await code_of(fetcher, f"http://evil.test/{n}") for n in range(4)]
    assert codes == ["forbidden_address", "forbidden_address", "busy", "busy"]
