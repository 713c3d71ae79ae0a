"""Looking things up for people: their history in words, the state of the books, who is meant."""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.commerce.records import Order, OrderState
from wallet_core.ledger.accounts import Purpose
from wallet_core.money import Money
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import entries_back
from wallet_core.storage.escrow import EscrowRows


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry on what somebody can spend, and what it was for.

    `kind` is the transfer's, `hold_state` that of the hold it made or ended. The order's fields
    stand where it was about an order, `code` where it was about money in or out.
    """

    amount_minor: int
    balance_after_minor: int
    currency: str
    kind: str
    subject: str
    at_us: int
    hold_state: str | None = None
    order_number: str | None = None
    order_title: str | None = None
    order_state: str | None = None
    code: str | None = None


class FoundWallet(msgspec.Struct, frozen=True):
    """A wallet, whose it is, and what it may do (`WalletMode`)."""

    id: str
    person_id: str
    mode: str


class EntrySum(msgspec.Struct, frozen=True):
    """All entries of a currency: their sum, which must be 0, and how many there are."""

    currency: str
    total_minor: int
    entry_count: int


class ParkedEvent(msgspec.Struct, frozen=True):
    """An event that failed so often that it was put aside, and its last error."""

    event_id: str
    error: str | None
    received_at_us: int


class Lookups:
    """Answers to what people ask. All of it raises `StorageUnavailable` without a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_waiting(self, event_id: str) -> bool:
        """Whether an event was heard and is not answered yet."""
        query = sa.select(t.inbox.c.seq).where(
            t.inbox.c.event_id == event_id, t.inbox.c.state == "waiting"
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def history(self, owner: str, limit: int) -> Sequence[HistoryEntry]:
        """The newest entries on what `owner` (`wallet:…`) can spend, newest first.

        A hold shows here as the money that it takes away, and its void as the money that it gives
        back: the account for held money mirrors both and is left out.
        """
        spendable = t.accounts.c.owner == owner, t.accounts.c.purpose == Purpose.AVAILABLE
        e = entries_back(*spendable, limit=limit).c
        query = (
            sa.select(
                e.amount_minor,
                e.balance_after_minor,
                t.accounts.c.currency,
                t.transfers.c.kind,
                t.transfers.c.subject,
                t.transfers.c.created_at_us.label("at_us"),
                t.holds.c.state.label("hold_state"),
            )
            .join(t.transfers, t.transfers.c.id == e.transfer_id)
            .join(t.accounts, t.accounts.c.no == e.account_no)
            .join(t.holds, t.holds.c.id == t.transfers.c.hold_id, isouter=True)
            .order_by(t.transfers.c.created_at_us.desc(), e.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            entries = [HistoryEntry(**row) for row in rows]
            return await _with_subjects(connection, entries)

    async def newest_held_order(self, person_id: str) -> Order | None:
        """A person's newest order whose money is still held in one of his wallets."""
        his = sa.select(t.wallets.c.id).where(t.wallets.c.person_id == person_id)
        query = (
            sa.select(t.orders)
            .where(t.orders.c.wallet_id.in_(his), t.orders.c.state == OrderState.AUTHORISED)
            .order_by(t.orders.c.created_at_us.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return Order(**{name: row[name] for name in Order.__struct_fields__}) if row else None

    async def waiting_for_owner(self, host: str) -> Sequence[tuple[int, Money]]:
        """What is held for whoever proves `host`: how many payments, and how much in all."""
        return await EscrowRows(self._database).waiting_for(host)

    async def wallets_of(self, who: str) -> Sequence[FoundWallet]:
        """The wallets that `who` may mean, by their id.

        `who` is a wallet's id, a person's id, a network's own id of a person, or the network's
        name before it (`matrix:@anna:example.org`).
        """
        network, _, rest = who.partition(":")
        known = t.identities.c.network_person_id
        query = (
            sa.select(t.wallets.c.id, t.wallets.c.person_id, t.wallets.c.mode)
            .join(t.identities, t.identities.c.person_id == t.wallets.c.person_id, isouter=True)
            .where(
                sa.or_(
                    t.wallets.c.id == who,
                    t.wallets.c.person_id == who,
                    known == who,
                    sa.and_(t.identities.c.network == network, known == rest),
                )
            )
            .distinct()
            .order_by(t.wallets.c.id)
        )
        async with self._database.read() as connection:
            return [FoundWallet(*row) for row in await connection.execute(query)]

    async def entry_sums(self) -> Sequence[EntrySum]:
        """The sum of all entries in each currency, counted entry by entry."""
        total = sa.cast(sa.func.sum(t.entries.c.amount_minor), sa.BigInteger)
        query = (
            sa.select(t.accounts.c.currency, total, sa.func.count())
            .join(t.accounts, t.accounts.c.no == t.entries.c.account_no)
            .group_by(t.accounts.c.currency)
            .order_by(t.accounts.c.currency)
        )
        async with self._database.read() as connection:
            return [EntrySum(*row) for row in await connection.execute(query)]

    async def wrong_balance_count(self) -> int:
        """How many accounts have a balance that is not the sum of their entries; must be 0."""
        sums = (
            sa.select(
                t.entries.c.account_no, sa.func.sum(t.entries.c.amount_minor).label("total_minor")
            )
            .group_by(t.entries.c.account_no)
            .subquery()
        )
        query = (
            sa.select(sa.func.count())
            .select_from(t.accounts)
            .join(sums, sums.c.account_no == t.accounts.c.no, isouter=True)
            .where(t.accounts.c.balance_minor != sa.func.coalesce(sums.c.total_minor, 0))
        )
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def parked(self, limit: int) -> Sequence[ParkedEvent]:
        """Events that were put aside, newest first."""
        query = (
            sa.select(t.inbox.c.event_id, t.inbox.c.error, t.inbox.c.received_at_us)
            .where(t.inbox.c.state == "parked")
            .order_by(t.inbox.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [ParkedEvent(*row) for row in await connection.execute(query)]


async def known_subjects(
    connection: AsyncConnection, subjects: Iterable[str]
) -> dict[str, dict[str, str]]:
    """Subject of a transfer → what is known of its order or request, as fields of an entry."""
    # By key instead of a join over the subject's text, which no index could serve.
    ids: dict[str, set[str]] = {}
    for subject in subjects:
        kind, _, rest = subject.partition(":")
        ids.setdefault(kind, set()).add(rest)
    known: dict[str, dict[str, str]] = {}
    orders = sa.select(t.orders.c.id, t.orders.c.number, t.orders.c.title, t.orders.c.state)
    about = ids.get("order", set()) | ids.get("settlement", set())
    for order in await connection.execute(orders.where(t.orders.c.id.in_(about))):
        known[f"order:{order.id}"] = known[f"settlement:{order.id}"] = {
            "order_number": order.number,
            "order_title": order.title,
            "order_state": order.state,
        }
    requests = sa.select(t.funding_requests.c.id, t.funding_requests.c.code)
    for kind in ("topup", "payout"):
        wanted = requests.where(t.funding_requests.c.id.in_(ids.get(kind, ())))
        for request in await connection.execute(wanted):
            known[f"{kind}:{request.id}"] = {"code": request.code}
    return known


async def _with_subjects(
    connection: AsyncConnection, entries: Sequence[HistoryEntry]
) -> list[HistoryEntry]:
    """The entries with what is known of their orders and requests."""
    known = await known_subjects(connection, (entry.subject for entry in entries))
    return [msgspec.structs.replace(entry, **known.get(entry.subject, {})) for entry in entries]
