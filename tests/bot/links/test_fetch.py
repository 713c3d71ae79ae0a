"""Fetching from real servers on loopback."""

import asyncio
import gzip
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.links.fetch import FetchCode, Fetcher, FetchError, FetchLimits
from bot.links.page_cache import MemoryPages, entry_key

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE = "<title>Tea</title>"


@dataclass
class Shop:
    """A server on loopback that counts what reaches it; `robots` is its robots.txt."""

    port: int = 0
    robots: str | None = None
    robots_hits: int = 0
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
        if request.path == "/robots.txt":
            shop.robots_hits += 1
            status = 404 if shop.robots is None else 200
            return web.Response(status=status, text=shop.robots or "")
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
        assert (shop.hits, shop.robots_hits) == ([], 0)


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
        assert (shop.hits, shop.robots_hits) == ([], 0)


async def test_a_second_answer_of_the_resolver_is_judged_like_the_first() -> None:
    async with serving(page) as shop:
        limits = FetchLimits(ports=frozenset({shop.port}), host_burst=9, total_s=0.3, negative_s=0)
        resolver = Answers(evil=["192.0.2.1", "127.0.0.1"])
        async with Fetcher(limits=limits, resolver=resolver) as fetcher:
            for path in ("/a", "/b", "/c"):
                assert await code_of(fetcher, shop.url(path, host="evil.test")) is not None
        assert (shop.hits, shop.robots_hits) == ([], 0)


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
        assert (inner.hits, inner.robots_hits) == ([], 0)


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
        assert (shop.hits, shop.robots_hits) == ([], 0)


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


async def test_packings_that_were_not_asked_for_are_refused_unread() -> None:
    async def pack(request: web.Request) -> web.Response:
        headers = {"Content-Encoding": request.query["how"], "Content-Type": "text/html"}
        return web.Response(body=gzipped_zeros(1), headers=headers)

    async with serving(pack) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        for how in ("br", "zstd", "gzip, gzip", "compress", "nonsense", "deflate"):
            assert await code_of(fetcher, shop.url(f"/?how={quote(how)}")) == "bad_response", how


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
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
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


async def until(shop: Shop, hits: int) -> None:
    """Wait until `hits` requests have reached the shop."""
    async with asyncio.timeout(30):
        while len(shop.hits) < hits:  # noqa: ASYNC110 - a server cannot set an event
            await asyncio.sleep(0.005)


async def test_a_kept_page_is_fresh_then_stale_then_old() -> None:
    now = [0.0]
    bodies = iter(range(100))

    async def count(_: web.Request) -> web.Response:
        return web.Response(text=f"<p>{next(bodies)}", content_type="text/html")

    async with (
        serving(count) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):

        async def body() -> str:
            return (await fetcher.get(shop.url())).body.decode()

        assert [await body(), len(shop.hits)] == ["<p>0", 1]
        now[0] = 299.0
        assert [await body(), len(shop.hits)] == ["<p>0", 1]
        now[0] = 301.0
        assert await body() == "<p>0"
        await until(shop, 2)
        while await body() == "<p>0":  # noqa: ASYNC110 - same
            await asyncio.sleep(0.005)
        assert [await body(), len(shop.hits)] == ["<p>1", 2]
        now[0] = 301.0 + 901.0
        assert [await body(), len(shop.hits)] == ["<p>2", 3]


async def test_a_server_that_says_nothing_has_changed_is_believed() -> None:
    now = [0.0]

    async def tagged(request: web.Request) -> web.Response:
        headers = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT"}
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304, headers=headers)
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    async def led(request: web.Request) -> web.Response:
        if request.path == "/short":
            return web.Response(status=302, headers={"Location": "/long"})
        return await tagged(request)

    async with (
        serving(led) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        first = await fetcher.get(shop.url("/short"))
        now[0] = 3000.0
        again = await fetcher.get(shop.url("/short"))
        assert (again.body, again.hops) == (first.body, first.hops)
        assert (first.read_at_s, again.read_at_s) == (0.0, 3000.0)
        assert again.hops == (shop.url("/short"),)
        assert shop.hits == ["/short", "/long", "/short", "/long"]
        conditional = [headers.get("If-None-Match") for headers in shop.headers]
        assert conditional == [None, None, None, '"1"']
        assert (await fetcher.get(shop.url("/short"), fresh=True)).body == first.body
        now[0] = 3000.0 + 299.0
        await fetcher.get(shop.url("/short"))
        assert len(shop.hits) == 6


async def test_a_server_says_how_long_a_page_counts_within_limits() -> None:
    now = [0.0]

    async def say(request: web.Request) -> web.Response:
        headers = {"Cache-Control": request.query.get("cc", "")}
        return web.Response(text=PAGE, content_type="text/html", headers=headers)

    async with (
        serving(say) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        for said, asked in (
            ("max-age=600", 1), ("public, max-age=999999", 1), ("max-age=1", 2), ("no-store", 3),
            ("s-maxage=600", 2), ("max-age=x", 2),
        ):  # fmt: skip
            shop.hits.clear()
            now[0] += 100_000
            for later in (0, 10, 400):
                now[0] += later
                await fetcher.get(shop.url(f"/?cc={quote(said)}"))
            await until(shop, asked)
            assert len(shop.hits) == asked, said


async def test_a_shop_that_stumbles_is_shown_as_it_was_for_a_while() -> None:
    now = [0.0]
    well = [True]

    async def stumble(request: web.Request) -> web.Response:
        return await page(request) if well[0] else web.Response(status=503)

    async with (
        serving(stumble) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        await fetcher.get(shop.url())
        well[0] = False
        now[0] = 400.0
        await fetcher.get(shop.url())
        await until(shop, 2)
        await asyncio.sleep(0.02)
        assert (await fetcher.get(shop.url())).body == PAGE.encode()
        assert len(shop.hits) == 2
        now[0] = 901.0
        assert await code_of(fetcher, shop.url()) == "status"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_gone_is_not_shown_as_it_was(status: int) -> None:
    now, there = [0.0], [True]

    async def vanish(request: web.Request) -> web.Response:
        return await page(request) if there[0] else web.Response(status=status)

    async with (
        serving(vanish) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        await fetcher.get(shop.url())
        there[0] = False
        now[0] = 350.0
        with pytest.raises(FetchError) as gone:
            await fetcher.get(shop.url(), age_s_max=0.0)
        assert gone.value.is_gone
        assert await code_of(fetcher, shop.url()) == "status"
        now[0] = 649.0
        assert await code_of(fetcher, shop.url()) == "status"
        assert len(shop.hits) == 2
        there[0] = True
        now[0] = 651.0
        assert (await fetcher.get(shop.url())).body == PAGE.encode()


async def test_a_page_that_robots_txt_forbids_by_now_is_not_shown_as_it_was() -> None:
    now = [0.0]
    async with (
        serving(page) as shop,
        Fetcher(
            allowed_origins=shop.origin,
            clock=lambda: now[0],
            # Longer than a robots.txt is kept.
            limits=FetchLimits(stale_s=8 * 3600.0),
        ) as fetcher,
    ):
        await fetcher.get(shop.url())
        shop.robots = "User-agent: *\nDisallow: /"
        now[0] = 7 * 3600.0
        assert await code_of(fetcher, shop.url()) is None
        while await code_of(fetcher, shop.url()) is None:  # noqa: ASYNC110 - as the others do
            await asyncio.sleep(0.005)
        assert await code_of(fetcher, shop.url()) == "robots"
        assert len(shop.hits) == 1


async def test_robots_txt_is_obeyed_read_once_and_not_asked_by_the_owner() -> None:
    async with serving(page) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        shop.robots = "User-agent: *\nDisallow: /\n\nUser-agent: payontap\nDisallow: /private"
        await asyncio.gather(*(fetcher.get(shop.url(f"/p/{n}")) for n in range(5)))
        assert await code_of(fetcher, shop.url("/private/p")) == "robots"
        assert shop.robots_hits == 1
        assert len(shop.hits) == 5
        assert (await fetcher.get(shop.url("/private/p"), fresh=True, invited=True)).status == 200


async def test_an_owners_invitation_ends_at_his_own_host() -> None:
    async def leave(request: web.Request) -> web.Response:
        if request.path == "/leave":
            raise web.HTTPFound(f"http://localhost:{request.url.port}/private")
        return await page(request)

    async with serving(leave) as shop:
        shop.robots = "User-agent: *\nDisallow: /"
        both = shop.origin | {("localhost", shop.port)}
        async with Fetcher(allowed_origins=both) as fetcher:
            with pytest.raises(FetchError) as refused:
                await fetcher.get(shop.url("/leave"), invited=True)
        assert refused.value.code == "robots"
        assert shop.hits == ["/leave"]


async def test_robots_txt_that_cannot_be_had_forbids_or_allows_as_the_rfc_says() -> None:
    answers = [(404, None), (403, None), (500, "robots"), (503, "robots"), (429, "robots")]
    for status, expected in answers:

        async def answer(request: web.Request, status: int = status) -> web.Response:
            if request.path == "/robots.txt":
                return web.Response(status=status)
            return await page(request)

        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        async with Fetcher(allowed_origins=frozenset({("127.0.0.1", port)})) as fetcher:
            assert await code_of(fetcher, f"http://127.0.0.1:{port}/p") == expected
        await runner.cleanup()


async def test_a_redirect_to_a_forbidden_page_ends_there() -> None:
    async def lead(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/private"})

    async with serving(lead) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        shop.robots = "User-agent: *\nDisallow: /private"
        assert await code_of(fetcher, shop.url("/p")) == "robots"
        assert shop.hits == ["/p"]


async def test_a_small_page_that_sends_its_reader_on_is_followed_like_a_redirect() -> None:
    async def send_on(request: web.Request) -> web.Response:
        if request.path == "/p":
            return await page(request)
        target = request.query.get("to", "/p")
        text = f'<meta http-equiv="refresh" content="0;url={target}">'
        return web.Response(text=text, content_type="text/html")

    async with serving(page) as inner, serving(send_on) as shop:
        limits = FetchLimits(ports=frozenset({inner.port}))
        async with Fetcher(allowed_origins=shop.origin, limits=limits) as fetcher:
            fetched = await fetcher.get(shop.url("/short"))
            assert (fetched.url_final, len(fetched.hops)) == (shop.url("/p"), 1)
            inside = inner.url(host="127.0.0.1")
            assert await code_of(fetcher, shop.url(f"/?to={inside}")) == "forbidden_address"
            endless = shop.url("/?to=/?to=/x")
            assert await code_of(fetcher, endless) is None
        assert inner.hits == []


async def test_pages_come_in_utf8_whatever_the_server_sends() -> None:
    async def speak(request: web.Request) -> web.Response:
        codec = request.query["codec"]
        body = f"<title>绿茶</title><meta charset={codec}>".encode(codec)
        return web.Response(body=body, headers={"Content-Type": "text/html"})

    async with serving(speak) as shop, Fetcher(allowed_origins=shop.origin) as fetcher:
        for codec in ("gb18030", "utf-8", "utf-16"):
            fetched = await fetcher.get(shop.url(f"/?codec={codec}"))
            assert "绿茶" in fetched.body.decode("utf-8")
            assert fetched.charset == "utf-8"


async def test_one_slow_shop_delays_no_other() -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as slow, serving(page) as quick:
        limits = FetchLimits(total_s=60.0)
        async with Fetcher(allowed_origins=slow.origin | quick.origin, limits=limits) as fetcher:
            waiting = [asyncio.create_task(code_of(fetcher, slow.url(f"/{n}"))) for n in range(200)]
            await until(slow, 1)
            await fetcher.get(quick.url())
            assert not any(task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


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


async def test_two_processes_share_pages_and_requests() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        return await page(request)

    store = MemoryPages(bytes_max=1_000_000, clock=time.time)
    async with (
        serving(slow) as shop,
        Fetcher(allowed_origins=shop.origin, store=store) as one,
        Fetcher(allowed_origins=shop.origin, store=store) as other,
    ):
        seen = await asyncio.gather(one.get(shop.url()), other.get(shop.url()))
        assert seen[0] == seen[1]
        assert len(shop.hits) == 1
        await other.get(shop.url())
        assert len(shop.hits) == 1


async def test_a_process_that_died_while_asking_holds_nobody_up_for_long() -> None:
    store = MemoryPages(bytes_max=1_000_000, clock=time.time)
    async with serving(page) as shop:
        await store.claim(f"flight:{entry_key('html', shop.url())}", "dead", for_s=0.2)
        async with Fetcher(allowed_origins=shop.origin, store=store) as fetcher:
            assert (await fetcher.get(shop.url())).body == PAGE.encode()


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


async def test_a_page_that_was_read_too_long_ago_is_asked_for_again() -> None:
    now = [1_000.0]

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async with (
        serving(page) as shop,
        Fetcher(allowed_origins=shop.origin, clock=lambda: now[0]) as fetcher,
    ):
        url = shop.url("/tea")
        assert (await fetcher.get(url)).read_at_s == 1_000.0
        now[0] += 60
        assert (await fetcher.get(url, age_s_max=60)).read_at_s == 1_000.0
        assert (await fetcher.get(url, age_s_max=59)).read_at_s == 1_060.0
        assert len(shop.hits) == 2
        now[0] += 60
        both = await asyncio.gather(*(fetcher.get(url, age_s_max=10) for _ in range(5)))
        assert {page.read_at_s for page in both} == {1_120.0}
        assert len(shop.hits) == 3
