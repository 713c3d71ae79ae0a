"""A merchant with a shop on loopback, the conversation, and the importer between them."""

import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.cards import Card
from bot.catalogue.importing import Importer
from bot.catalogue.staging import Staging
from bot.links.fetch import Fetcher, FetchLimits
from tests.bot.commands.chat import Chat, Said
from tests.peers.tables import create_tables
from wallet_core.commerce.catalogue import CatalogueSource
from wallet_core.ledger.commits import Commit, Insert, Value
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

Answer = Callable[[web.Request], web.StreamResponse]
KITCHEN = "kitchen"
INTERVAL_S = 3600


@dataclass
class Shop:
    """A web server on loopback; `pages` are what it answers, by path and query or by path."""

    port: int = 0
    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def says(
        self,
        path: str,
        content: object,
        *,
        etag: str = "",
        content_type: str = "application/octet-stream",
    ) -> None:
        """`content` (JSON unless it is text) stands at `path`; the shop's own host is put in."""
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        if isinstance(text, str):
            text = text.replace("https://shop.example", self.url).encode()

        def answer(request: web.Request) -> web.StreamResponse:
            headers = {"ETag": etag} if etag else {}
            if etag and request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers=headers)
            return web.Response(body=text, headers=headers, content_type=content_type)

        self.pages[path] = answer

    def fails(self, path: str, status: int = 503) -> None:
        """The server answers `path` with an error."""
        self.pages[path] = lambda _: web.Response(status=status)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        page = self.pages.get(request.path_qs) or self.pages.get(request.path)
        return page(request) if page else web.Response(status=404)


@dataclass
class Market:
    """Mei's tea house, whose host is proven. `ahead_us`: how far the clock was put forward."""

    chat: Chat
    shop: Shop
    database: Database
    fetcher: Fetcher
    merchant_id: str = ""
    ahead_us: int = 0

    @property
    def store(self) -> Catalogues:
        return self.chat.desk.catalogues

    @property
    def importer(self) -> Importer:
        staging = Staging(self.store, self.now_us, 1000)
        return Importer(staging, self.chat.desk.reader, self.fetcher, self.tell, INTERVAL_S)

    async def tell(self, source: CatalogueSource, key: str, card: Card) -> None:
        await self.chat.desk.tell_owner(source, key, card)

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.ahead_us

    def later(self, seconds: float) -> None:
        """So much time goes by."""
        self.ahead_us += round(seconds * 1_000_000)

    async def prove(self, host: str) -> None:
        row: dict[str, Value] = {
            "merchant_id": self.merchant_id,
            "host": host,
            "token": "t",
            "verified_host": host,
            "method": "dns",
            "verified_at_us": 1,
        }
        change = Insert("merchant_hosts", row)
        await self.chat.writer.commit(Commit(key=f"proof:{host}", rows=(change,)))

    async def ask(self, text: str, who: str = "mei") -> Said:
        return await self.chat.ask(who, f"/merchant catalogue {text}", room=KITCHEN)

    async def tap(self, action: str, who: str = "mei") -> Said:
        (said,) = await self.chat.tap(who, action, room=KITCHEN)
        return said

    async def work(self) -> list[Said]:
        """Do all that is due, and what is said about it."""
        while (claim := await self.importer.staging.claim()) is not None:
            await self.importer.work(claim)
        return await self.chat.deliver()

    async def source(self) -> CatalogueSource:
        (source,) = await self.store.sources_of(self.merchant_id)
        return source

    async def take_over(self, path: str) -> None:
        """Add a source and agree to what it would change."""
        await self.ask(f"add {self.shop.url}{path}")
        (shown,) = await self.work()
        await self.tap(shown.actions[0])
        await self.work()

    async def listed(self) -> dict[str, str]:
        """The prices of all that is listed, by the items' own ids."""
        source = await self.source()
        page = await self.store.page(source.id, "", 10_000)
        now_us = self.now_us()
        return {
            one.item.feed_id: f"{one.item.price_minor_at(now_us)} {one.item.currency}"
            for one in page.listed.values()
            if one.listed
        }


@pytest.fixture
async def market(database_url: str) -> AsyncIterator[Market]:
    shop = Shop()
    application = web.Application()
    application.router.add_get("/{path:.*}", shop.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    shop.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    database = Database(database_url)
    await create_tables(database)
    origins = frozenset({("127.0.0.1", shop.port)})
    limits = FetchLimits(file_total_s=60.0)
    async with (
        Fetcher(allowed_origins=origins, limits=limits) as fetcher,
        Writer(database) as writer,
    ):
        market = Market(Chat(database, writer, fetcher), shop, database, fetcher)
        market.merchant_id = await market.chat.open_shop("mei", room=KITCHEN)
        await market.prove(shop.host)
        yield market
    await database.close()
    await runner.cleanup()
