"""A small shop on a real database: people with money, an offer, quotes, and all that serves them.

For the fixtures and for the processes that tests start and kill.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec
import sqlalchemy as sa

from bot.cards import Card
from bot.conversation.announcer import announce
from tests.peers.tables import create_tables
from wallet_core.commerce.answers import event_key
from wallet_core.commerce.checkout import TapOn, Terms
from wallet_core.commerce.conversion import ConversionQuotes, NoRates, RateSource
from wallet_core.commerce.conversion_checkout import ConvertingCheckout
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Endings, Fulfilment
from wallet_core.commerce.house_terms import NO_HOUSE_TERMS, HouseTerms
from wallet_core.commerce.news import News
from wallet_core.commerce.records import FundingRequest, Order, Payer, Place, Speech
from wallet_core.commerce.settlement import Settlements
from wallet_core.funding.base import Provider
from wallet_core.funding.cash import Cash
from wallet_core.funding.requests import Funding
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.locks import TTL_S, Lease, LeasePort, Leases, NoLeases
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage import trade_tables as trade
from wallet_core.storage.conversions import Conversions
from wallet_core.storage.database import Database
from wallet_core.storage.inbox import Inbox
from wallet_core.storage.outbox import Outbox
from wallet_core.storage.people import People
from wallet_core.storage.readers import Reader
from wallet_core.storage.writer import Writer

CNY = "CNY"
PRICE_MINOR = 19_900
SHOP = "m_shop"
NETWORK = "web"
SELLER = "seller"
HOUR_US = 3_600_000_000

LeaseMaker = Callable[[Writer], LeasePort]


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class Recorder:
    """The real announcer, which also remembers what it was told."""

    news: list[News] = field(default_factory=list)

    def __call__(self, news: News) -> Speech:
        self.news.append(news)
        return announce(news)


@dataclass
class World:
    """Everything of one process."""

    database: Database
    writer: Writer
    reader: Reader
    people: People
    inbox: Inbox
    outbox: Outbox
    leases: LeasePort
    recorder: Recorder
    checkout: ConvertingCheckout
    exchange: Exchange
    fulfilment: Fulfilment
    endings: Endings
    funding: Funding
    settlements: Settlements

    # --- people and goods ----------------------------------------------------------------------

    async def person(self, name: str, balance_minor: int = 0) -> Payer:
        """Somebody with money; the same name is the same person."""
        person = await self.people.meet(NETWORK, name, "lobby")
        if balance_minor:
            await self.top_up(person.wallet_id, balance_minor, f"start {name}")
        return Payer(person.id, person.wallet_id)

    async def top_up(
        self, wallet_id: str, amount_minor: int, key: str, currency: str = CNY
    ) -> None:
        legs = (
            Leg(accounts.clearing("cash", currency), -amount_minor),
            Leg(accounts.wallet(wallet_id, currency), amount_minor),
        )
        await self.writer.commit(
            Commit(key=f"topup:{key}", transfers=(Post(id=named(key), legs=legs),))
        )

    async def top_up_shop(self, amount_minor: int, merchant_id: str = SHOP) -> None:
        """The shop brings money of its own."""
        legs = (
            Leg(accounts.clearing("cash", CNY), -amount_minor),
            Leg(accounts.merchant(merchant_id, CNY), amount_minor),
        )
        name = f"shop money {uuid4().hex}"
        await self.writer.commit(Commit(key=name, transfers=(Post(id=named(name), legs=legs),)))

    async def make_settlements_due(self) -> None:
        async with self.database.write() as connection:
            await connection.execute(sa.update(trade.settlements).values(due_at_us=1))

    async def open_shop(self, *, standing: bool = True, merchant_id: str = SHOP) -> Payer:
        """A merchant; gives its one member."""
        seller = await self.person(SELLER)
        await self.write(
            Insert(
                "merchants",
                {
                    "id": merchant_id,
                    "name": "Tea House",
                    "network": NETWORK,
                    "room_id": "tea-house",
                    "standing_acceptance": standing,
                    "created_at_us": 1,
                },
            ),
            Insert("merchant_members", {"merchant_id": merchant_id, "person_id": seller.person_id}),
        )
        return seller

    async def offer(
        self, *, stock: int | None = None, name: str = "tea", merchant_id: str = SHOP
    ) -> str:
        offer_id = f"of_{name}"
        await self.write(
            Insert(
                "offers",
                {
                    "id": offer_id,
                    "url": f"https://shop.example/{name}",
                    "host": "shop.example",
                    "merchant_id": merchant_id,
                    "title": f"Green {name}",
                    "sku": None,
                    "picture": None,
                    "availability": "InStock",
                    "stock_total": stock,
                    "stock_page": stock,
                    "sold": 0,
                    "seen_at_us": 1,
                },
            )
        )
        return offer_id

    async def quote(
        self,
        offer_id: str = "of_tea",
        *,
        name: str = "q_1",
        amount_minor: int | None = PRICE_MINOR,
        trust: str = "hold",
        valid_for_us: int = HOUR_US,
        merchant_id: str | None = SHOP,
    ) -> str:
        await self.write(
            Insert(
                "quotes",
                {
                    "id": name,
                    "offer_id": offer_id,
                    "merchant_id": merchant_id,
                    "amount_minor": amount_minor,
                    "currency": CNY if amount_minor is not None else None,
                    "trust": trust,
                    "reason": "The page does not say in which currency the price is.",
                    "seller": "Tea House",
                    "created_at_us": now_us(),
                    "expires_at_us": now_us() + valid_for_us,
                    "title": f"Green {offer_id.removeprefix('of_')}",
                    "url": f"https://shop.example/{offer_id.removeprefix('of_')}",
                },
            )
        )
        return name

    async def write(self, *rows: RowChange) -> None:
        await self.writer.commit(Commit(key=f"set up:{uuid4().hex}", rows=rows))

    async def freeze(self, wallet_id: str, *, frozen: bool = True) -> None:
        await self.write(
            Update(
                table="wallets",
                where={"id": wallet_id},
                values={"mode": "frozen" if frozen else "open"},
            )
        )

    # --- what people do ------------------------------------------------------------------------

    async def heard(self, event_id: str) -> None:
        """The event lies in the inbox, as it does before anybody answers it."""
        await self.inbox.keep([(event_id, b"{}")], claim=True)

    def place(self, name: str = "anna") -> Place:
        return Place(NETWORK, "lobby", name)

    async def tap(self, payer: Payer, event_id: str, quote_id: str = "q_1") -> str:
        """A tap, once delivered; what was answered."""
        await self.heard(event_id)
        tap = TapOn(
            event_id=event_id,
            quote_id=quote_id,
            payer=payer,
            place=self.place(),
            at_us=now_us(),
            tap_ref=f"tap of {event_id}",
        )
        await self.checkout.tap(tap)
        return await self.outcome(event_id)

    async def undo(self, payer: Payer, event_id: str, order: Order | None) -> str:
        await self.heard(event_id)
        await self.checkout.undo(event_id, order, payer, self.place())
        return await self.outcome(event_id)

    async def refund(self, who: Payer, event_id: str, order: Order, amount_minor: int) -> str:
        await self.heard(event_id)
        money = Money(amount_minor, order.currency)
        await self.fulfilment.refund(event_id, order, money, who.person_id, self.place(SELLER))
        return await self.outcome(event_id)

    async def bought(self, payer: Payer, event_id: str, quote_id: str = "q_1") -> Order:
        """An order whose money is held."""
        assert await self.tap(payer, event_id, quote_id) == "done"
        return await self.latest_order(payer)

    async def paid(self, payer: Payer, event_id: str, quote_id: str = "q_1") -> Order:
        """An order whose money was captured."""
        order = await self.bought(payer, event_id, quote_id)
        await self.make_due(order.hold_id)
        await self.endings.run_due()
        return await self.order(order.id)

    async def make_due(self, hold_id: UUID) -> None:
        async with self.database.write() as connection:
            now = await self.database.now_us(connection)
            await connection.execute(
                sa.update(t.holds).where(t.holds.c.id == hold_id).values(due_at_us=now - 1)
            )

    # --- what came of it -----------------------------------------------------------------------

    async def funding_request(self) -> FundingRequest:
        """The one request for money to come in or to go out that there is."""
        async with self.database.read() as connection:
            code = (await connection.execute(sa.select(t.funding_requests.c.code))).scalar_one()
        request = await self.reader.funding_request(code)
        assert request is not None
        return request

    async def outcome(self, event_id: str) -> str:
        """`done`, `said` (an answer that moved nothing), the refusal's code, or `open`."""
        written = await self.writer.written(event_key(event_id))
        if written is None:
            return "open"
        if written.refusal is not None:
            return written.refusal.value
        return "done" if written.result else "said"

    async def order(self, order_id: str) -> Order:
        order = await self.reader.order(order_id)
        assert order is not None
        return order

    async def latest_order(self, payer: Payer) -> Order:
        return (await self.reader.recent_orders(payer.wallet_id, 1))[0]

    async def balance(self, payer: Payer) -> tuple[int, int]:
        """What the person can spend, and what is held."""
        account = accounts.wallet(payer.wallet_id, CNY)
        return (
            await self.reader.balance_minor(account),
            await self.reader.balance_minor(account.held),
        )

    async def earned(self, merchant_id: str = SHOP) -> int:
        return await self.reader.balance_minor(accounts.merchant(merchant_id, CNY))

    async def sold(self, offer_id: str = "of_tea") -> int:
        offer = await self.reader.offer(offer_id)
        assert offer is not None
        return offer.sold

    async def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        async with self.database.read() as connection:
            query = sa.select(sa.func.count()).select_from(table).where(*where)
            return int((await connection.execute(query)).scalar_one())

    async def deadlocks(self) -> int:
        """How many the database has had; SQLite lets one writer in at a time and has none."""
        if self.database.is_sqlite:
            return 0
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        async with self.database.read() as connection:
            return int((await connection.exec_driver_sql(query)).scalar_one())

    async def answers(self) -> int:
        """Messages in the outbox that are not edits."""
        return await self.count(t.outbox, t.outbox.c.edits.is_(None))

    async def cards(self, network_person_id: str = "anna") -> list[Card]:
        """Finished private cards for one person, in their order."""
        query = (
            sa.select(t.outbox.c.body)
            .where(t.outbox.c.person_id == network_person_id, t.outbox.c.body.is_not(None))
            .order_by(t.outbox.c.seq)
        )
        async with self.database.read() as connection:
            bodies: Iterable[bytes] = (await connection.execute(query)).scalars().all()
        return [msgspec.json.decode(body, type=Card) for body in bodies]


@dataclass
class ShortLived:
    """Real leases, but with a short life, so that losing one takes no ten seconds."""

    inner: LeasePort
    life_s: float = 0.3

    def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AbstractAsyncContextManager[Lease]:
        del ttl_s
        return self.inner.hold(*wallet_ids, token=token, wait_s=wait_s, ttl_s=self.life_s)


@dataclass
class Interrupted:
    """Leases with which something happens once, between the next grant and what it is for."""

    inner: LeasePort
    happens: Callable[[], object] | None

    @asynccontextmanager
    async def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AsyncIterator[Lease]:
        held = self.inner.hold(*wallet_ids, token=token, wait_s=wait_s, ttl_s=ttl_s)
        async with held as lease:
            happens, self.happens = self.happens, None
            result = happens() if happens is not None else None
            if inspect.isawaitable(result):
                await result
            yield lease


def without_leases(writer: Writer) -> LeasePort:
    return NoLeases(writer.raise_fence)


@asynccontextmanager
async def world_at(
    url: str,
    *,
    valkey_url: str | None = None,
    make_leases: LeaseMaker = without_leases,
    terms: Terms | None = None,
    provider: Provider | None = None,
    create: bool = True,
    limits_of: LimitsOf = no_limits,
    house: HouseTerms = NO_HOUSE_TERMS,
    rates: RateSource | None = None,
    spread_ppm: int = 0,
    clock_us: Callable[[], int] | None = None,
    answer_within_s: float = 2.0,
) -> AsyncIterator[World]:
    """A process on the database at `url`, with leases at `valkey_url` if it is given."""
    terms = terms or Terms(undo_window_s=60.0, accept_within_s=600.0)
    async with AsyncExitStack() as stack:
        database = Database(url, clock_us=clock_us)
        stack.push_async_callback(database.close)
        if create:
            await create_tables(database)
        writer = await stack.enter_async_context(Writer(database, limits_of=limits_of))
        leases = make_leases(writer)
        if valkey_url is not None:
            leases = await stack.enter_async_context(
                Leases(valkey_url, writer.raise_fence, answer_within_s=answer_within_s)
            )
        reader, recorder = Reader(database, limits_of), Recorder()
        quotes, conversions = (
            ConversionQuotes(rates or NoRates(), spread_ppm),
            Conversions(database),
        )
        claimant = f"process {time.time_ns()}"
        yield World(
            database=database,
            writer=writer,
            reader=reader,
            people=People(database, writer),
            inbox=Inbox(database, claimant),
            outbox=Outbox(database, claimant),
            leases=leases,
            recorder=recorder,
            checkout=ConvertingCheckout(
                writer, reader, leases, recorder, terms, quotes=quotes, conversions=conversions
            ),
            exchange=Exchange(quotes, conversions),
            fulfilment=Fulfilment(writer, reader, recorder, terms, house),
            endings=Endings(writer, reader, reader, reader, recorder, house),
            settlements=Settlements(writer, reader),
            funding=Funding(writer, reader, leases, recorder, provider or Cash()),
        )
        # Whatever a test cancelled has let go of its connection by now.
        await asyncio.sleep(0)
