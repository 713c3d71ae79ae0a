"""Reading trade and books: what the domain's reader ports ask for."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

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
    OrderState,
    Quote,
    ShownOffer,
    TapFacts,
)
from wallet_core.commerce.settlement import PendingMoney
from wallet_core.errors import Refusal
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.allowance import Allowance
from wallet_core.ledger.commits import Hold, Written
from wallet_core.ledger.transfers import HoldState
from wallet_core.limits import LimitsOf, no_limits
from wallet_core.storage import tables as t
from wallet_core.storage.allowances import allowance_of, limits_text
from wallet_core.storage.consents import consented_sum
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import entries_back, of_transfer
from wallet_core.storage.grouped import Grouped
from wallet_core.storage.requests import CLOCK, Statement, fetch, uuid_places
from wallet_core.storage.rows_by_key import RecordLookups, Records, RowLookups
from wallet_core.storage.takings import due_settlements, pending_of_order
from wallet_core.storage.tap_facts import HOST_STANDING, Tapped, hosts_of_quote, tap_facts

R = TypeVar("R", bound=msgspec.Struct)

#: Orders that count as bought.
_BOUGHT = ", ".join(f"'{state}'" for state in (OrderState.AUTHORISED, OrderState.PAID))
_BOUGHT_COUNT = Statement(
    f"SELECT quote_id, count(*) FROM orders WHERE quote_id = ANY($1::text[]) "  # noqa: S608 - our own words
    f"AND state IN ({_BOUGHT}) GROUP BY quote_id",
    f"SELECT quote_id, count(*) FROM orders WHERE quote_id = ? AND state IN ({_BOUGHT}) "  # noqa: S608 - same
    "GROUP BY quote_id",
)

_HOLD = ", ".join(f"h.{name}" for name in Hold.__struct_fields__)


def _due_holds(now_us: str, limit: str) -> str:
    return (
        f"SELECT {_HOLD} FROM holds h WHERE h.state = '{HoldState.OPEN}' "  # noqa: S608 - same
        f"AND h.due_at_us <= {now_us} AND NOT EXISTS (SELECT 1 FROM inbox i "
        "WHERE i.state = 'waiting' AND i.received_at_us <= h.due_at_us) "
        f"ORDER BY h.due_at_us LIMIT {limit}"
    )


_DUE_HOLDS = Statement(
    _due_holds(f"coalesce(($1::bigint[])[1], {CLOCK})", "($2::bigint[])[1]"),
    _due_holds("?1", "?2"),
    uuid_places(t.holds, Hold.__struct_fields__),
)

_OPEN_EVENT = "SELECT 1 FROM inbox WHERE state = 'waiting' AND received_at_us <= "
_HEARD_AND_OPEN = Statement(
    f"{_OPEN_EVENT} ($1::bigint[])[1] AND event_id <> ($2::text[])[1] LIMIT 1",
    f"{_OPEN_EVENT} ?1 AND event_id <> ?2 LIMIT 1",
)

_CARD_COLUMNS = ", ".join(
    [
        "q.id",
        f"(SELECT count(*) FROM orders o WHERE o.quote_id = q.id AND o.state IN ({_BOUGHT}))",  # noqa: S608 - same
        *HOST_STANDING,
        *(f"q.{name}" for name in Quote.__struct_fields__),
        *(f"f.{name}" for name in Offer.__struct_fields__),
    ]
)
_CARD_ROWS = f"SELECT {_CARD_COLUMNS} FROM quotes q JOIN offers f ON f.id = q.offer_id"  # noqa: S608 - same
_CARD = Statement(
    f"{_CARD_ROWS} {hosts_of_quote(postgres=True)} WHERE q.id = ANY($1::text[])",
    f"{_CARD_ROWS} {hosts_of_quote(postgres=False)} WHERE q.id = ?",
)

_PURCHASE_COLUMNS = ", ".join(
    ["o.id", *(f"o.{name}" for name in Order.__struct_fields__), _HOLD],
)
_PURCHASE_ROWS = f"SELECT {_PURCHASE_COLUMNS} FROM orders o JOIN holds h ON h.id = o.hold_id"  # noqa: S608 - same
_PURCHASE_HOLD_AT = 1 + len(Order.__struct_fields__)
_PURCHASE = Statement(
    f"{_PURCHASE_ROWS} WHERE o.id = ANY($1::text[])",
    f"{_PURCHASE_ROWS} WHERE o.id = ?",
    (
        *(1 + n for n in uuid_places(t.orders, Order.__struct_fields__)),
        *(_PURCHASE_HOLD_AT + n for n in uuid_places(t.holds, Hold.__struct_fields__)),
    ),
)

_OWNER_COLUMNS = ", ".join(f"m.{name}" for name in Merchant.__struct_fields__)
_OWNER_ROWS = (
    f"SELECT h.verified_host, {_OWNER_COLUMNS} FROM merchant_hosts h "  # noqa: S608 - same
    "JOIN merchants m ON m.id = h.merchant_id WHERE h.verified_host"
)
_OWNER = Statement(f"{_OWNER_ROWS} = ANY($1::text[])", f"{_OWNER_ROWS} = ?")

_WRITTEN = fetch(t.commits, ("key", "refusal", "result", "created_at_us"), ("key",))


async def read_written(database: Database, key: str) -> Written | None:
    """What stands under a commit's key, or None."""
    rows = await database.ask(_WRITTEN, ([key],))
    if not rows:
        return None
    ((key, refusal, result, at_us),) = rows
    return Written(
        key=key,
        created=False,
        refusal=Refusal(refusal) if refusal else None,
        result=result,
        at_us=at_us,
    )


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
        self._cards = RowLookups(database, _CARD)
        self._purchases = RowLookups(database, _PURCHASE)
        self._order_records = Records(database, t.orders, Order)
        self._hold_records = Records(database, t.holds, Hold)
        self._bought = RowLookups(database, _BOUGHT_COUNT)
        self._owners = RecordLookups(database, t.merchants, Merchant, statement=_OWNER)

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
        order = self._order_records.made(row[1:_PURCHASE_HOLD_AT])
        return order, self._hold_records.made(row[_PURCHASE_HOLD_AT:])

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
        rows = await self._database.ask(_DUE_HOLDS, ([now_us], [limit]))
        return [Hold(**dict(zip(Hold.__struct_fields__, row, strict=True))) for row in rows]

    async def is_heard_and_open(self, until_us: int, but_event_id: str) -> bool:
        """Whether an event that was heard up to then, but this one, waits to be worked on."""
        return bool(await self._database.ask(_HEARD_AND_OPEN, ([until_us], [but_event_id])))

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

    async def balances(self, owner: str) -> Sequence["Balance"]:
        """All balances of an owner (`wallet:…`), zero ones left out."""
        query = (
            sa.select(t.accounts)
            .where(t.accounts.c.owner == owner, t.accounts.c.balance_minor != 0)
            .order_by(t.accounts.c.currency, t.accounts.c.purpose)
        )
        return await self._rows(query, Balance)

    async def sums(self) -> Sequence["Balance"]:
        """The books' sums for each kind of owner, purpose and currency."""
        find = sa.func.instr if self._database.is_sqlite else sa.func.strpos
        owner = t.accounts.c.owner
        kind = sa.func.substr(owner, 1, find(owner, ":") - 1).label("owner")
        query = (
            sa.select(
                kind,
                t.accounts.c.purpose,
                t.accounts.c.currency,
                sa.cast(sa.func.sum(t.accounts.c.balance_minor), sa.BigInteger).label(
                    "balance_minor"
                ),
            )
            .group_by(kind, t.accounts.c.purpose, t.accounts.c.currency)
            .order_by(t.accounts.c.currency, kind)
        )
        return await self._rows(query, Balance)

    async def history(self, owner: str, limit: int) -> Sequence["HistoryLine"]:
        """An owner's newest entries, newest first."""
        entries = entries_back(t.accounts.c.owner == owner, limit=limit).c
        query = (
            sa.select(
                t.accounts.c.id.label("account_id"),
                entries.amount_minor,
                entries.balance_after_minor,
                t.transfers.c.kind,
                t.transfers.c.subject,
                t.transfers.c.created_at_us,
                t.transfers.c.id.label("transfer_id"),
            )
            .join(t.transfers, t.transfers.c.id == entries.transfer_id)
            .join(t.accounts, t.accounts.c.no == entries.account_no)
            .order_by(t.transfers.c.created_at_us.desc(), entries.seq.desc())
            .limit(limit)
        )
        return await self._rows(query, HistoryLine)

    async def entries_of(self, subject: str) -> Sequence["HistoryLine"]:
        """All entries of the transfers about a subject, in their order."""
        query = (
            sa.select(
                t.accounts.c.id.label("account_id"),
                t.entries.c.amount_minor,
                t.entries.c.balance_after_minor,
                t.transfers.c.kind,
                t.transfers.c.subject,
                t.transfers.c.created_at_us,
                t.transfers.c.id.label("transfer_id"),
            )
            .join(t.transfers, of_transfer(t.transfers.c, t.entries.c))
            .join(t.accounts, t.accounts.c.no == t.entries.c.account_no)
            .where(t.transfers.c.subject == subject)
            .order_by(t.transfers.c.created_at_us, t.accounts.c.id)
        )
        return await self._rows(query, HistoryLine)

    async def _number(self, query: sa.Select[Any]) -> int:
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar() or 0)


class Balance(msgspec.Struct, frozen=True):
    """What stands on an account, or on all accounts of a kind."""

    owner: str
    purpose: str
    currency: str
    balance_minor: int


class HistoryLine(msgspec.Struct, frozen=True):
    """An entry together with the transfer that made it."""

    account_id: str
    amount_minor: int
    balance_after_minor: int
    kind: str
    subject: str
    created_at_us: int
    transfer_id: UUID
