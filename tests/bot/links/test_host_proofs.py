"""Proofs from real servers on loopback; DNS from a table, and from a real resolver's protocol."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rrset
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bot.links.canonical import canonical_url
from bot.links.fetch import Fetcher
from bot.links.host_proofs import DnsTexts, NoDnsAnswer, WebProofs, tokens_in_file, tokens_in_page
from wallet_core.commerce.host_checks import HostLook, HostLooks
from wallet_core.commerce.merchants import host_name

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOTHING: dict[str, frozenset[str]] = {
    "well-known": frozenset(),
    "meta": frozenset(),
    "dns": frozenset(),
}


class Zone:
    """TXT records in a table; remembers what it was asked."""

    def __init__(self, **records: Sequence[str]) -> None:
        self.records = {name.replace("__", "."): texts for name, texts in records.items()}
        self.asked: list[str] = []

    async def texts(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.records.get(name, [])


class Loopback(AbstractResolver):
    """Every name is this machine's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return None


class NameServer(asyncio.DatagramProtocol):
    """A name server that knows one TXT record, in two strings as long ones are written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = dns.message.make_response(dns.message.from_wire(data))
        name = answer.question[0].name
        if name.to_text() == self._name:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", '"payontap=" "token"'))
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def serving(routes: dict[str, Handler]) -> AsyncIterator[int]:
    """A server on 127.0.0.1; its port."""
    application = web.Application()
    for path, handler in routes.items():
        application.router.add_get(path, handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    try:
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


def text(body: str, content_type: str = "text/plain") -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type=content_type)

    return answer


def page(head: str = "", body: str = "") -> Handler:
    return text(f"<html><head>{head}</head><body>{body}</body></html>", "text/html")


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
        return port


async def shown(
    port: int, zone: Zone | None = None, *also: int, host: str = "127.0.0.1"
) -> dict[str, frozenset[str]]:
    origins = frozenset((host, each) for each in (port, *also))
    async with Fetcher(allowed_origins=origins) as fetcher:
        proofs: HostLooks = WebProofs(fetcher, zone or Zone())
        return dict((await proofs.look(f"{host}:{port}")).shown)


async def test_a_file_and_a_tag_on_the_front_page_are_found() -> None:
    tag = '<META Name="Payontap" content=" from-tag "><meta name="payontap" content="second">'
    file = text("# proof\nfrom-file\n\n  spaced # note\n")
    async with serving({"/.well-known/payontap.txt": file, "/": page(tag)}) as port:
        assert await shown(port) == {
            "well-known": frozenset({"from-file", "spaced"}),
            "meta": frozenset({"from-tag", "second"}),
            "dns": frozenset(),
        }


async def test_what_is_put_there_after_a_first_look_is_found() -> None:
    tokens: list[str] = []

    async def file(_: web.Request) -> web.Response:
        if not tokens:
            raise web.HTTPNotFound
        return web.Response(text="\n".join(tokens))

    async with serving({"/.well-known/payontap.txt": file}) as port:
        origin = frozenset({("127.0.0.1", port)})
        async with Fetcher(allowed_origins=origin) as fetcher:
            proofs = WebProofs(fetcher, Zone())
            assert (await proofs.look(f"127.0.0.1:{port}")).shown["well-known"] == frozenset()
            tokens.append("late")
            assert (await proofs.look(f"127.0.0.1:{port}")).shown["well-known"] == {"late"}


async def test_a_host_without_anything_shows_nothing() -> None:
    async with serving({}) as port:
        assert await shown(port) == NOTHING


async def test_a_host_that_nobody_serves_shows_nothing() -> None:
    assert await shown(closed_port()) == NOTHING


async def test_an_address_that_is_not_allowed_shows_nothing() -> None:
    file = text("token")
    async with serving({"/.well-known/payontap.txt": file}) as port, Fetcher() as fetcher:
        assert (await WebProofs(fetcher, Zone()).look(f"127.0.0.1:{port}")).shown == NOTHING


async def test_a_proof_that_is_kept_on_another_host_proves_nothing_here() -> None:
    async with serving(
        {
            "/.well-known/payontap.txt": text("elsewhere"),
            "/": page("<meta name=payontap content=x>"),
        }
    ) as other:

        async def away(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"http://127.0.0.1:{other}{request.path}")

        async with serving({"/.well-known/payontap.txt": away, "/": away}) as port:
            assert await shown(port, None, other) == NOTHING


async def test_what_keeps_an_answer_from_proving_anything_is_told() -> None:
    async with serving({"/": page()}) as other:

        async def away(_: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"http://127.0.0.1:{other}/")

        routes = {"/.well-known/payontap.txt": page(body="token"), "/": away}
        async with serving(routes) as port:
            look = await looked_at(port, other)
    assert look.shown == NOTHING
    assert look.unread == {}
    assert look.hindered == {
        "well-known": "It is not served as text/plain but as something else.",
        "meta": f"It leads to 127.0.0.1:{other}, and each host is proven by itself.",
    }
    async with serving({"/": page()}) as port:
        assert (await looked_at(port)).hindered == {}, "there simply is no file"


async def test_a_redirect_within_the_host_is_followed() -> None:
    async def moved(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/proof.txt")

    routes = {"/.well-known/payontap.txt": moved, "/proof.txt": text("moved")}
    async with serving(routes) as port:
        assert (await shown(port))["well-known"] == {"moved"}


async def test_a_page_is_no_proof_file() -> None:
    async with serving({"/.well-known/payontap.txt": page(body="token")}) as port:
        assert await shown(port) == NOTHING


async def test_https_is_tried_first_and_a_shop_without_it_still_proves_itself() -> None:
    first_bytes: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first_bytes.append(await reader.read(1))
        if first_bytes[-1] == b"G":
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
                b"Connection: close\r\n\r\ntoken\n"
            )
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        origins = frozenset({("shop.example", port)})
        async with Fetcher(allowed_origins=origins, resolver=Loopback()) as fetcher:
            found = (await WebProofs(fetcher, Zone()).look(f"shop.example:{port}")).shown
    assert found["well-known"] == {"token"}
    # A TLS hello begins with 0x16, the request without TLS with its verb.
    assert first_bytes[0] == b"\x16"
    assert b"G" in first_bytes


async def test_txt_records_are_asked_for_the_host_and_below_it() -> None:
    zone = Zone(
        _payontap__shop__example=["payontap=below", "other=1"],
        shop__example=["payontap= at ", "v=spf1 -all", "payontap"],
    )
    port = closed_port()
    origins = frozenset({("shop.example", port)})
    async with Fetcher(allowed_origins=origins, resolver=Loopback()) as fetcher:
        found = (await WebProofs(fetcher, zone).look(f"shop.example:{port}")).shown
    assert found == {**NOTHING, "dns": frozenset({"below", "at"})}
    assert sorted(zone.asked) == ["_payontap.shop.example", "shop.example"]


async def test_a_real_resolver_is_asked_and_may_know_nothing_or_be_silent() -> None:
    def resolver(port: int) -> dns.asyncresolver.Resolver:
        made = dns.asyncresolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = port
        return made

    loop = asyncio.get_running_loop()
    name = "_payontap.shop.example"
    transport, _ = await loop.create_datagram_endpoint(
        lambda: NameServer(f"{name}."), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    texts = DnsTexts(make_resolver=lambda: resolver(port))
    assert await texts.texts(name) == ["payontap=token"]
    assert await texts.texts("shop.example") == []
    assert await texts.texts("no..name") == []
    transport.close()
    silent = DnsTexts(timeout_s=0.05, make_resolver=lambda: resolver(port))
    with pytest.raises(NoDnsAnswer):
        await silent.texts(name)


async def test_an_address_or_localhost_is_not_asked_for_in_dns() -> None:
    zone = Zone()
    async with Fetcher() as fetcher:
        for host in ("127.0.0.1:80", "[::1]:8080", "localhost:80"):
            assert (await WebProofs(fetcher, zone).look(host)).shown["dns"] == frozenset()
    assert zone.asked == []


def test_a_tag_that_a_visitor_wrote_into_the_body_does_not_count() -> None:
    assert tokens_in_page(b'<p>hi</p><meta name="payontap" content="visitor">') == frozenset()
    comment = b'<head><!-- <meta name="payontap" content="x"> --><title><meta name="payontap"'
    assert tokens_in_page(comment + b' content="y"></title></head>') == frozenset()
    assert tokens_in_page(b'<meta name="payontap" content=""><meta name="payontap">') == frozenset()
    assert tokens_in_page(b"") == frozenset()


def test_a_proof_file_may_have_been_written_by_any_editor() -> None:
    assert tokens_in_file("\ufeffone\r\ntwo\r\n".encode()) == {"one", "two"}
    for mark, charset in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert tokens_in_file(mark + "one\r\n# two\r\n".encode(charset)) == {"one"}
    assert tokens_in_file(b"\xf1\xfe\n#\n\n") == {"\ufffd\ufffd"}
    assert tokens_in_file(b"\xff\xfea") == {"\ufffd"}


# --- looking again ----------------------------------------------------------------------------


async def looked_at(port: int, *also: int, host: str = "127.0.0.1") -> HostLook:
    origins = frozenset((host, each) for each in (port, *also))
    async with Fetcher(allowed_origins=origins) as fetcher:
        looks: HostLooks = WebProofs(fetcher, Zone())
        return await looks.look(f"{host}:{port}")


async def test_a_host_that_says_nothing_has_changed_proves_nothing() -> None:
    """The next owner of a domain knows no token; what the last one showed must not come back."""
    theirs = False

    async def file(_: web.Request) -> web.Response:
        headers = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT"}
        if theirs:
            return web.Response(status=304, headers=headers)
        return web.Response(text="token", headers=headers)

    async with serving({"/.well-known/payontap.txt": file}) as port:
        origin = frozenset({("127.0.0.1", port)})
        async with Fetcher(allowed_origins=origin) as fetcher:
            looks = WebProofs(fetcher, Zone())
            assert (await looks.look(f"127.0.0.1:{port}")).shown["well-known"] == {"token"}
            theirs = True
            assert (await looks.look(f"127.0.0.1:{port}")).shown["well-known"] == frozenset()


async def test_a_proof_that_was_kept_is_not_shown_while_the_host_is_away() -> None:
    async with AsyncExitStack() as stack:
        server = AsyncExitStack()
        port = await server.enter_async_context(
            serving({"/.well-known/payontap.txt": text("token")})
        )
        origin = frozenset({("127.0.0.1", port)})
        looks = WebProofs(await stack.enter_async_context(Fetcher(allowed_origins=origin)), Zone())
        assert (await looks.look(f"127.0.0.1:{port}")).shown["well-known"] == {"token"}
        await server.aclose()
        look = await looks.look(f"127.0.0.1:{port}")
    assert look.shown == NOTHING
    assert set(look.unread) == {"well-known", "meta"}


async def test_a_host_that_is_away_is_told_from_one_without_the_proof() -> None:
    away = await looked_at(closed_port())
    assert set(away.unread) == {"well-known", "meta"}
    assert all(why.endswith(".") for why in away.unread.values())
    parked = page(body="<h1>This domain is for sale</h1>")
    async with serving({"/{path:.*}": parked}) as port:
        look = await looked_at(port)
        assert (look.shown, look.unread, look.busy) == (NOTHING, {}, False)


@pytest.mark.parametrize(
    ("status", "unread"), [(404, False), (410, False), (403, True), (429, True), (503, True)]
)
async def test_a_server_in_trouble_denies_no_proof(status: int, unread: bool) -> None:  # noqa: FBT001
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving({"/{path:.*}": answer}) as port:
        look = await looked_at(port)
    assert bool(look.unread) == unread
    assert look.shown == NOTHING


async def test_a_host_that_leads_elsewhere_is_there_and_shows_no_proof() -> None:
    async with serving({"/.well-known/payontap.txt": text("token")}) as other:

        async def away(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"http://127.0.0.1:{other}{request.path}")

        async with serving({"/{path:.*}": away}) as port:
            look = await looked_at(port, other)
    assert (look.shown, look.unread.get("well-known")) == (NOTHING, None)


async def test_a_name_that_leads_into_a_private_network_renews_nothing() -> None:
    async with Fetcher(resolver=Loopback()) as fetcher:
        look = await WebProofs(fetcher, Zone()).look("shop.example")
    assert look.shown == NOTHING
    assert "well-known" in look.unread


async def test_name_servers_that_are_silent_are_told_from_a_record_that_is_gone() -> None:
    class Silent(Zone):
        async def texts(self, _name: str) -> Sequence[str]:
            raise NoDnsAnswer("The name servers of the domain did not answer.")

    port = closed_port()
    origins = frozenset({("shop.example", port)})
    async with Fetcher(allowed_origins=origins, resolver=Loopback()) as fetcher:
        silent = await WebProofs(fetcher, Silent()).look(f"shop.example:{port}")
        gone = await WebProofs(fetcher, Zone()).look(f"shop.example:{port}")
    assert "dns" in silent.unread
    assert "dns" not in gone.unread


_LABEL = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-üß茶", min_size=1, max_size=8)


@given(
    scheme=st.sampled_from(["http://", "https://", "HTTPS://"]),
    labels=st.lists(_LABEL, min_size=2, max_size=4),
    dot=st.sampled_from(["", "."]),
    port=st.sampled_from(["", ":80", ":443", ":8443"]),
    path=st.sampled_from(["", "/", "/p/1?a=b#c", "?q"]),
)
def test_a_claimed_host_is_named_as_canonical_pages_name_it(
    scheme: str, labels: list[str], dot: str, port: str, path: str
) -> None:
    url = f"{scheme}{'.'.join(labels)}{dot}{port}{path}"
    canonical = canonical_url(url)
    assert host_name(url) == (urlsplit(canonical).netloc if canonical is not None else None)
