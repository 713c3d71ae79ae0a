"""A shop on loopback whose page changes, and the room in which its link is shared."""

import asyncio
import dataclasses
import itertools
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from bot.conversation.announcer import announce
from bot.conversation.dispatch import press_again
from bot.conversation.price_looks import PriceLooks
from bot.conversation.product_pages import ProductPages
from bot.conversation.shared_links import SharedLinks
from bot.events import Message
from bot.links.fetch import Fetcher, FetchLimits
from tests.bot.commands.chat import Chat, Said
from tests.peers.tables import create_tables
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.escrow import EscrowReleases
from wallet_core.ledger.commits import Commit, Insert, Update
from wallet_core.storage.database import Database
from wallet_core.storage.escrow import EscrowRows
from wallet_core.storage.pictures import Pictures
from wallet_core.storage.writer import Writer

FRESH_S = 300.0
VALID_S = 3600.0
#: A slow machine is no slow shop.
PATIENT = FetchLimits(total_s=30.0)
_heard = itertools.count()


@dataclass
class Stall:
    """The page, its shop, the clock, and what people do."""

    chat: Chat
    port: int
    prices: PriceLooks
    now_s: list[float]
    price: str = "199.00"
    head: str = ""
    availability: str = "InStock"
    status: int = 200
    waits: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    #: By path and query: what stands there instead.
    pages: dict[str, str] = field(default_factory=dict)
    #: By path: how long what stands there may be kept.
    cache_control: dict[str, str] = field(default_factory=dict)
    shop_id: str = ""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/tea"

    @property
    def page(self) -> str:
        offer = (
            f'{{"@type": "Offer", "price": "{self.price}", "priceCurrency": "CNY", '
            f'"availability": "https://schema.org/{self.availability}"}}'
        )
        data = f'{{"@type": "Product", "name": "Green tea", "offers": {offer}}}'
        named = f"<title>Tea</title>{self.head}"
        return f'{named}<script type="application/ld+json">{data}</script>'

    async def answer(self, request: web.Request) -> web.Response:
        answer = await self._answer(request)
        if request.path in self.cache_control:
            answer.headers["Cache-Control"] = self.cache_control[request.path]
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        if request.path in self.files:
            kind = "application/json" if request.path.endswith(".js") else "text/plain"
            return web.Response(text=self.files[request.path], content_type=kind)
        if request.path_qs in self.pages:
            return web.Response(text=self.pages[request.path_qs], content_type="text/html")
        if request.path != "/tea":
            return web.Response(status=404)
        self.asked.append(request.path)
        if self.waits is not None:
            await self.waits.wait()
        return web.Response(text=self.page, content_type="text/html", status=self.status)

    async def prove(self, *, standing: bool = True) -> None:
        """The host is a shop's own."""
        self.shop_id = await self.chat.open_shop("mei")
        host = {"merchant_id": self.shop_id, "host": self.host, "token": "t", "method": "meta"}
        await self.write(Insert("merchant_hosts", {**host, "verified_host": self.host}))
        accepts = {"standing_acceptance": standing}
        await self.write(Update(table="merchants", where={"id": self.shop_id}, values=accepts))

    async def write(self, *rows: Insert | Update) -> None:
        await self.chat.writer.commit(Commit(key=f"stall:{next(_heard)}", rows=rows))

    async def share(self, url: str | None = None) -> Said:
        """Somebody shares the link; the card that answers."""
        (said,) = await self.shared(url)
        return said

    async def shared(self, url: str | None = None) -> list[Said]:
        """Somebody shares the link; all that answers, if anything does."""
        event = Message(
            id=f"web:stall{next(_heard)}",
            network="web",
            room_id="lobby",
            person_id="ben",
            text=f"look {url or self.url}",
            message_ref=f"stall{next(_heard)}",
        )
        await self.chat.dispatch.answer(event)
        return await self.chat.deliver()

    def later(self, seconds: float) -> None:
        """Time passes, for the bot and for the pages that it keeps."""
        self.now_s[0] += seconds

    async def hand_over(self) -> list[Said]:
        """Whoever has come gets what was held for him."""
        rows = EscrowRows(self.chat.database)
        terms = self.chat.desk.checkout.terms
        await EscrowReleases(self.chat.writer, rows, announce, terms).run_due()
        return await self.chat.deliver()

    async def held(self, who: str = "anna") -> int:
        """What is held of somebody's money."""
        wallet = (await self.chat.meet(who)).wallet_id
        balances = await self.chat.desk.reader.balances(f"wallet:{wallet}")
        return sum(b.balance_minor for b in balances if b.purpose == "held")


@asynccontextmanager
async def stall_at(
    database_url: str, *, claim_within_s: float | None = None
) -> AsyncIterator[Stall]:
    """A stall that nobody has claimed yet; with `claim_within_s` money is held for its owner."""
    now_s = [float(int(time.time()))]
    application = web.Application()
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    database = Database(database_url)
    await create_tables(database)
    origin = frozenset({("127.0.0.1", port)})
    async with (
        Fetcher(allowed_origins=origin, limits=PATIENT, clock=lambda: now_s[0]) as fetcher,
        Writer(database) as writer,
    ):
        chat = Chat(database, writer, fetcher)
        escrow = claim_within_s is not None
        pages = ProductPages(fetcher, Pictures(database), escrow, now_s=lambda: now_s[0])
        terms = Terms(undo_window_s=0.0, accept_within_s=3600.0, claim_within_s=claim_within_s)
        chat.desk.checkout.terms = terms
        prices = PriceLooks(pages, chat.desk.reader, writer, FRESH_S, VALID_S, budget_s=30.0)
        chat.desk.checkout.prices = prices
        links = SharedLinks(pages, VALID_S)
        chat.dispatch = dataclasses.replace(
            chat.dispatch,
            links=links,
            presses={**chat.dispatch.presses, "again": partial(press_again, links=links)},
            now_us=lambda: round(now_s[0] * 1_000_000),
        )
        stall = Stall(chat, port, prices, now_s)
        application.router.add_get("/{path:.*}", stall.answer)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        yield stall
    await database.close()
    await runner.cleanup()
