"""Shared links, from what is written to the card."""

import dataclasses
import itertools
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from benchmarks.hostile_addresses import HostileNames
from bot.conversation.product_pages import ProductPages
from bot.conversation.shared_links import SharedLinks, _links
from bot.events import MarkedLink, Message
from bot.links.fetch import Fetcher
from bot.links.page_cache import MemoryPages
from tests.bot.commands.chat import Chat, Said
from wallet_core.storage.append_only import create_all
from wallet_core.storage.database import Database
from wallet_core.storage.pictures import Pictures
from wallet_core.storage.writer import Writer

_heard = itertools.count()


def product(canonical: str = "") -> str:
    offer = '{"@type": "Offer", "price": "199.00", "priceCurrency": "CNY"}'
    data = f'{{"@type": "Product", "name": "Green tea", "offers": {offer}}}'
    named = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    return f'<title>Tea</title>{named}<script type="application/ld+json">{data}</script>'


class Street:
    """A shop on loopback, and the room in which its links are shared."""

    def __init__(self, chat: Chat, port: int) -> None:
        self.chat = chat
        self.port = port

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def share(
        self, text: str, *links: MarkedLink, thread: str | None = None, private: bool = False
    ) -> list[Said]:
        event = Message(
            id=f"web:share{next(_heard)}",
            network="web",
            room_id="lobby",
            person_id="anna",
            text=text,
            message_ref=f"shared{next(_heard)}",
            links=links,
            thread_ref=thread,
            private=private,
        )
        await self.chat.dispatch.answer(event)
        return await self.chat.deliver()

    async def offers(self, said: list[Said]) -> set[str]:
        """The offers that the cards are about."""
        quotes = [await self.chat.desk.reader.quote(one.ref) for one in said]
        return {quote.offer_id for quote in quotes if quote is not None}


async def answer(request: web.Request) -> web.Response:
    if request.path == "/robots.txt":
        return web.Response(status=404)
    if request.path == "/short":
        return web.Response(status=302, headers={"Location": "/products/tea?utm_source=short"})
    if request.host.startswith("m.shop.test"):
        home = f"http://shop.test:{request.url.port}/products/tea"
        return web.Response(
            text=product(home).replace('"199.00"', '"149.00"'), content_type="text/html"
        )
    canonical = "" if request.path.startswith("/plain") else "/products/tea"
    text = product(canonical)
    if request.query.get("variant") == "2":
        text = text.replace('"199.00"', '"249.00"')
    return web.Response(text=text, content_type="text/html")


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'street.db'}")
    async with database.write() as connection:
        await connection.run_sync(create_all)
    names = ("127.0.0.1", "shop.test", "m.shop.test")
    allowed = frozenset((name, port) for name in names)
    resolver = HostileNames((("127.0.0.1",),))
    async with (
        Fetcher(allowed_origins=allowed, resolver=resolver) as fetcher,
        Writer(database) as writer,
    ):
        chat = Chat(database, writer, fetcher)
        store = MemoryPages(bytes_max=1_000_000, clock=time.time)
        links = SharedLinks(ProductPages(fetcher, Pictures(database)), 3600.0, seen=store)
        chat.dispatch = dataclasses.replace(chat.dispatch, links=links)
        yield Street(chat, port)
    await database.close()
    await runner.cleanup()


async def test_one_product_shared_in_ten_ways_is_one_offer(street: Street) -> None:
    ways = [
        "/products/tea", "/products/tea/", "/products/tea?utm_source=a", "/products/tea#top",
        "/products/tea?fbclid=1&utm_medium=b", "/short", "/products/tea/amp",
        "/collections/new/products/tea", "/x/../products/tea", "/products/tea?list=7",
    ]  # fmt: skip
    offers: set[str] = set()
    for way in ways:
        said = await street.share(f"看{street.url(way)} 。")
        assert len(said) == 1, way
        offers |= await street.offers(said)
    assert len(offers) == 1


async def test_ways_to_one_product_in_one_message_are_one_card(street: Street) -> None:
    ways = (street.url(way) for way in ("/short", "/products/tea/amp", "/products/tea?fbclid=1"))
    assert len(await street.share(" ".join(ways))) == 1


async def test_a_thread_gets_one_card_for_a_product(street: Street) -> None:
    first = await street.share(street.url("/products/tea"), thread="t1")
    assert len(first) == 1
    assert await street.share(street.url("/short"), thread="t1") == []
    assert len(await street.share(street.url("/plain"), thread="t1")) == 1
    assert len(await street.share(street.url("/short"), thread="t2")) == 1
    assert len(await street.share(street.url("/short"))) == 1


async def test_a_link_that_shows_another_host_gets_a_warning_and_no_button(street: Street) -> None:
    target = street.url("/products/tea")
    for said in (
        await street.share("shop.com/tea", MarkedLink(url=target, text="shop.com/tea")),
        await street.share(f"[shop.com/tea]({target})"),
        await street.share(f"[https://shop.com/tea]({target})"),
    ):
        (card,) = said
        assert card.actions == []
        assert "The link shows shop.com but leads to 127.0.0.1." in card.text
    (honest,) = await street.share("tea", MarkedLink(url=target, text="Green tea"))
    assert "The link shows" not in honest.text


async def test_an_honest_link_beside_it_hides_no_link_that_shows_another_host(
    street: Street,
) -> None:
    target = street.url("/products/tea")
    elsewhere = (street.url(f"/plain{n}") for n in range(5))
    honest = (MarkedLink(url=url, text="tea") for url in (target, target, *elsewhere))
    (card, *_) = await street.share(
        "tea shop.com/tea", *honest, MarkedLink(url=target, text="shop.com/tea")
    )
    assert card.actions == []
    assert "The link shows shop.com but leads to 127.0.0.1." in card.text


async def test_a_mobile_page_is_read_where_the_shop_is_at_home(street: Street) -> None:
    (mobile,) = await street.share(street.url("/products/tea", host="m.shop.test"))
    (main,) = await street.share(street.url("/products/tea", host="shop.test"))
    assert "199.00" in mobile.text
    assert mobile.text == main.text
    assert await street.offers([mobile]) == await street.offers([main])


async def test_a_variant_of_a_mobile_page_costs_what_it_costs_at_home(street: Street) -> None:
    (mobile,) = await street.share(street.url("/products/tea?variant=2", host="m.shop.test"))
    (main,) = await street.share(street.url("/products/tea?variant=2", host="shop.test"))
    assert "249.00" in mobile.text
    assert mobile.text == main.text
    assert await street.offers([mobile]) == await street.offers([main])


async def test_a_share_code_is_named_and_nothing_is_guessed(street: Street) -> None:
    (said,) = await street.share("【Green tea】￥pZLk2EyTWQ0￥ 打开淘宝")
    assert "￥pZLk2EyTWQ0￥" in said.text
    assert "Taobao" in said.text
    assert "Nothing was charged." in said.text
    assert (said.actions, said.to) == ([], "anna")
    (card,) = await street.share(f"￥pZLk2EyTWQ0￥ {street.url('/products/tea')}")
    assert card.view == "offer"


async def test_a_message_without_a_product_is_passed_over(street: Street) -> None:
    assert await street.share("hello, the price is ￥199") == []
    assert await street.share(f"see {street.url('/x', host='127.0.0.2')}") == []


def test_a_link_alone_is_what_it_is_with_words_around_it() -> None:
    links = ("shop.example/tea", "https://shop.example/tea?b=1&a=2#payontap-offer=x.y.z")
    for text in links:
        url = text if "://" in text else f"http://{text}"
        alone, among = (
            Message(
                id="telegram:1",
                message_ref="-1:7",
                network="telegram",
                room_id="-1",
                person_id="2",
                text=words,
                links=(MarkedLink(url, text),),
            )
            for words in (text, f"See {text} there")
        )
        assert _links(alone) == _links(among)
        assert len(_links(alone)) == 1


@pytest.mark.parametrize(
    ("url", "text", "count"),
    [
        ("http://README.md", "README.md", 0),
        ("https://install.sh/", "install.sh", 0),
        ("http://Yes.It", "Yes.It", 0),
        ("http://10.am", "10.am", 0),
        ("http://install.sh/tea", "install.sh/tea", 1),
        ("http://install.sh", "http://install.sh", 1),
        ("http://install.sh", "the teapot", 1),
        ("http://shop.example", "shop.example", 1),
        ("http://shop.de", "Shop.de", 1),
    ],
)
def test_what_a_network_marks_by_itself_may_be_a_file_or_a_missing_blank(
    url: str, text: str, count: int
) -> None:
    message = Message(
        id="telegram:1",
        message_ref="-1:7",
        network="telegram",
        room_id="-1",
        person_id="2",
        text=f"See {text} there",
        links=(MarkedLink(url, text),),
    )
    assert len(_links(message)) == count
