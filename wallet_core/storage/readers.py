"""Reading trade and books: what the domain's reader ports ask for."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from wallet_core.commerce.records import (
    NETWORK_SETTLED,
    PAYOUT_ASKED,
    ConsentedSum,
    FundingRequest,
    HostClaim,
    Merchant,
    Offer,
    Order,
    Quote,
    ShownOffer,
    TapFacts,
)
from wallet_core.commerce.settlement import PendingMoney
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.allowance import Allowance
from wallet_core.ledger.commits import Hold
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.storage import tables as t
from wallet_core.storage.allowances import allowance_of, limits_text
from wallet_core.storage.book_lines import (
    Balance,
    HistoryLine,
    balances_of,
    lines_about,
    newest_lines,
    sums_of_kinds,
)
from wallet_core.storage.consents import consented_sum
from wallet_core.storage.database import Database
from wallet_core.storage.grouped import Grouped
from wallet_core.storage.rows_by_key import RecordLookups, Records, RowLookups
from wallet_core.storage.takings import due_settlements, pending_of_order
from wallet_core.storage.tap_facts import Tapped, tap_facts
from wallet_core.storage.trade_statements import (
    BOUGHT_COUNT,
    CARD,
    DUE_HOLDS,
    HEARD_AND_OPEN,
    OWNER,
    PURCHASE,
    PURCHASE_HOLD_AT,
)

R = TypeVar("R", bound=msgspec.Struct)


class Reader:
    """Implements the reader ports of commerce and funding on a database."""

    def __init__(self, database: Database, limits_of: LimitsOf = no_limits) -> None:
        """`limits_of` are the limits of wallets that have none of their own, as the writer's."""
        self._database = database
        self._limits_of = limits_of
        self._taps: Grouped[Tapped, TapFacts] = Grouped(partial(tap_facts, database))
        self._quotes = RecordLookups(database, t.quotes, Quote)
        self._offers = RecordLookups(database, t.offers, Offer)
        self._orders = RecordLookups(database, t.orders, Order)
        self._merchants = RecordLookups(database, t.merchants, Merchant)
        self._holds = RecordLookups(database, t.holds, Hold)
        self._offers_by_url = RecordLookups(database, t.offers, Offer, key="url")
        self._cards = RowLookups(database, CARD)
        self._purchases = RowLookups(database, PURCHASE)
        self._order_records = Records(database, t.orders, Order)
        self._hold_records = Records(database, t.holds, Hold)
        self._bought = RowLookups(database, BOUGHT_COUNT)
        self._owners = RecordLookups(database, t.merchants, Merchant, statement=OWNER)

    async def _rows(self, query: sa.Select[Any], kind: type[R]) -> list[R]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [kind(**{name: row[name] for name in kind.__struct_fields__}) for row in rows]

    async def _one(self, query: sa.Select[Any], kind: type[R]) -> R | None:
        rows = await self._rows(query.limit(1), kind)
        return rows[0] if rows else None

    # --- quotes and orders -------------------------------------------------------------------

    async def quote(self, quote_id: str) -> Quote | None:
        """The quote behind a button."""
        return await self._quotes.get(quote_id)

    async def offer(self, offer_id: str) -> Offer | None:
        """The offer behind a quote."""
        return await self._offers.get(offer_id)

    async def shown_offer(self, quote_id: str) -> ShownOffer | None:
        """What a quote's card shows."""
        row = await self._cards.row(quote_id)
        if row is None:
            return None
        quote_at = 4
        offer_at = quote_at + len(Quote.__struct_fields__)
        return ShownOffer(
            quote=Quote(**dict(zip(Quote.__struct_fields__, row[quote_at:offer_at], strict=True))),
            offer=Offer(**dict(zip(Offer.__struct_fields__, row[offer_at:], strict=True))),
            bought_count=row[1],
            host_lost=bool(row[2]),
            host_claimed=bool(row[3]),
        )

    async def purchase(self, order_id: str) -> tuple[Order, Hold] | None:
        """An order and its hold."""
        row = await self._purchases.row(order_id)
        if row is None:
            return None
        order = self._order_records.made(row[1:PURCHASE_HOLD_AT])
        return order, self._hold_records.made(row[PURCHASE_HOLD_AT:])

    async def tap_facts(self, quote_id: str, wallet_id: str) -> TapFacts | None:
        """What a tap of this wallet on a quote is decided on; None for no such quote."""
        return await self._taps.get((quote_id, wallet_id))

    async def order(self, order_id: str) -> Order | None:
        """One order by its id."""
        return await self._orders.get(order_id)

    async def order_by_number(self, number: str) -> Order | None:
        """One order by the number that people read out."""
        return await self._one(sa.select(t.orders).where(t.orders.c.number == number), Order)

    async def order_of_tap(self, tap_ref: str, person_id: str) -> Order | None:
        """The order that a tap of this person made."""
        query = (
            sa.select(t.orders)
            .join(t.attempts, t.attempts.c.order_id == t.orders.c.id)
            .join(t.wallets, t.wallets.c.id == t.orders.c.wallet_id)
            .where(t.attempts.c.tap_ref == tap_ref, t.wallets.c.person_id == person_id)
        )
        return await self._one(query, Order)

    async def bought_count(self, quote_id: str) -> int:
        """How many have bought through this quote's card, holds included."""
        row = await self._bought.row(quote_id)
        return int(row[1]) if row is not None else 0

    async def sold_count(self, url: str) -> int:
        """How many of the offer at `url` are sold or held."""
        return await self._number(sa.select(t.offers.c.sold).where(t.offers.c.url == url))

    async def recent_orders(self, wallet_id: str, limit: int) -> Sequence[Order]:
        """A wallet's newest orders."""
        query = (
            sa.select(t.orders)
            .where(t.orders.c.wallet_id == wallet_id)
            .order_by(t.orders.c.created_at_us.desc())
            .limit(limit)
        )
        return await self._rows(query, Order)

    async def merchant_orders(self, merchant_id: str, limit: int) -> Sequence[Order]:
        """A merchant's newest orders."""
        query = (
            sa.select(t.orders)
            .where(t.orders.c.merchant_id == merchant_id)
            .order_by(t.orders.c.created_at_us.desc())
            .limit(limit)
        )
        return await self._rows(query, Order)

    # --- merchants ---------------------------------------------------------------------------

    async def merchant(self, merchant_id: str) -> Merchant | None:
        """One merchant."""
        return await self._merchants.get(merchant_id)

    async def is_member(self, merchant_id: str, person_id: str) -> bool:
        """Whether this person acts for the merchant."""
        members = t.merchant_members
        query = sa.select(sa.func.count()).where(
            members.c.merchant_id == merchant_id, members.c.person_id == person_id
        )
        return await self._number(query) > 0

    async def merchant_of_host(self, host: str) -> Merchant | None:
        """Who has proven that `host` is his."""
        return await self._owners.get(host)

    async def merchants_of(self, person_id: str) -> Sequence[Merchant]:
        """The shops that this person acts for, oldest first."""
        members = t.merchant_members
        query = (
            sa.select(t.merchants)
            .join(members, members.c.merchant_id == t.merchants.c.id)
            .where(members.c.person_id == person_id)
            .order_by(t.merchants.c.created_at_us, t.merchants.c.id)
        )
        return await self._rows(query, Merchant)

    async def host_claims(self, merchant_id: str) -> Sequence[HostClaim]:
        """The hosts that a merchant claims."""
        query = (
            sa.select(t.merchant_hosts)
            .where(t.merchant_hosts.c.merchant_id == merchant_id)
            .order_by(t.merchant_hosts.c.host)
        )
        return await self._rows(query, HostClaim)

    async def offer_by_url(self, url: str) -> Offer | None:
        """The offer of a product page."""
        return await self._offers_by_url.get(url)

    # --- holds and funding -------------------------------------------------------------------

    async def due_holds(self, limit: int) -> Sequence[Hold]:
        """Open holds that are due and before which no heard event waits to be worked on.

        The second condition lets an undo that was heard in time win over a capture that is late.
        """
        now_us = self._database.clock_us() if self._database.is_sqlite else None
        rows = await self._database.ask(DUE_HOLDS, ([now_us], [limit]))
        return [Hold(**dict(zip(Hold.__struct_fields__, row, strict=True))) for row in rows]

    async def is_heard_and_open(self, until_us: int, but_event_id: str) -> bool:
        """Whether an event that was heard up to then, but this one, waits to be worked on."""
        return bool(await self._database.ask(HEARD_AND_OPEN, ([until_us], [but_event_id])))

    async def hold(self, hold_id: object) -> Hold | None:
        """One hold."""
        return await self._holds.get(hold_id)

    async def funding_request(self, code: str) -> FundingRequest | None:
        """One request by the code that people read out."""
        query = sa.select(t.funding_requests).where(t.funding_requests.c.code == code)
        return await self._one(query, FundingRequest)

    async def funding_request_of_hold(self, hold_id: object) -> FundingRequest | None:
        """The payout that a hold belongs to."""
        query = sa.select(t.funding_requests).where(t.funding_requests.c.hold_id == hold_id)
        return await self._one(query, FundingRequest)

    async def pending_funding(self, limit: int) -> Sequence[FundingRequest]:
        """Requests that wait for an admin, oldest first; what a network settles is not his."""
        query = (
            sa.select(t.funding_requests)
            .where(
                t.funding_requests.c.state == "pending",
                t.funding_requests.c.provider.not_in(NETWORK_SETTLED),
            )
            .order_by(t.funding_requests.c.created_at_us)
            .limit(limit)
        )
        return await self._rows(query, FundingRequest)

    async def payout_asks(self, code: str) -> Sequence[str]:
        """How the messages stand that ask a network for a payout: `due`, `sent` or `dropped`."""
        query = sa.select(t.outbox.c.state).where(
            t.outbox.c.view == PAYOUT_ASKED, t.outbox.c.ref == code, t.outbox.c.edits.is_(None)
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalars().all()

    async def owns_wallet(self, person_id: str, wallet_id: str) -> bool:
        """Whether a wallet is this person's."""
        query = sa.select(t.wallets.c.id).where(
            t.wallets.c.id == wallet_id, t.wallets.c.person_id == person_id
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def due_settlements(self, limit: int) -> list[PendingMoney]:
        """Pending money of merchants whose time has come."""
        return await due_settlements(self._database, limit)

    async def pending_of_order(self, order_id: str) -> Sequence[PendingMoney]:
        """What is left on the merchant's pending account of an order's captures, newest first."""
        return await pending_of_order(self._database, order_id)

    # --- the books ---------------------------------------------------------------------------

    async def balance_minor(self, account: AccountRef) -> int:
        """An account's balance; 0 for one that has no entries yet."""
        query = sa.select(t.accounts.c.balance_minor).where(t.accounts.c.id == account.id)
        return await self._number(query)

    async def consented_sum(self, wallet_id: str, currency: str, since_us: int) -> ConsentedSum:
        """What was paid lately because it had been allowed beforehand; see `consents.py`."""
        return await consented_sum(self._database, wallet_id, currency, since_us)

    async def allowance(self, wallet_id: str, currency: str) -> Allowance:
        """What a wallet may still spend; see `allowance_of`."""
        return await allowance_of(self._database, wallet_id, currency, self._limits_of)

    async def limits_text(self, wallet_id: str) -> str | None:
        """The limits of a wallet as its row keeps them."""
        return await limits_text(self._database, wallet_id)

    async def balances(self, owner: str) -> Sequence[Balance]:
        """All balances of an owner (`wallet:…`), zero ones left out."""
        return await self._rows(balances_of(owner), Balance)

    async def sums(self) -> Sequence[Balance]:
        """The books' sums for each kind of owner, purpose and currency."""
        return await self._rows(sums_of_kinds(is_sqlite=self._database.is_sqlite), Balance)

    async def history(self, owner: str, limit: int) -> Sequence[HistoryLine]:
        """An owner's newest entries, newest first."""
        return await self._rows(newest_lines(owner, limit), HistoryLine)

    async def entries_of(self, subject: str) -> Sequence[HistoryLine]:
        """All entries of the transfers about a subject, in their order."""
        return await self._rows(lines_about(subject), HistoryLine)

    async def _number(self, query: sa.Select[Any]) -> int:
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar() or 0)
