"""An account's entries with all that is known about them, oldest first, page by page."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.audit.explaining import Counterpart, ExplainedEntry
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import entries_back, in_batch
from wallet_core.storage.lookups import Lookups, known_subjects
from wallet_core.storage.snapshots import pages, snapshot

#: Kinds of owners whose id alone says who is meant.
_KINDS = ("wallet", "merchant", "provider", "escrow", "exchange")


class ExplainedAccount(msgspec.Struct, frozen=True):
    """An account, its owner in words, and what stands on it."""

    id: str
    name: str
    currency: str
    balance_minor: int
    entry_count: int


class Explanations:
    """What an account's balance is made of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts_of(self, who: str) -> list[ExplainedAccount]:
        """The accounts that `who` may mean, and on which anything was ever entered.

        `who` is an account's id, its owner (`merchant:m_1`, `house:own`), or the id of a wallet, a
        person (ours or a network's), a merchant, a provider, a source of rates, or a host.
        """
        wallets = await Lookups(self._database).wallets_of(who)
        owners = {who, *(f"{kind}:{who}" for kind in _KINDS)}
        owners |= {f"wallet:{wallet.id}" for wallet in wallets}
        a = t.accounts.c
        query = (
            sa.select(a.id, a.currency, a.balance_minor, a.version)
            .where(sa.or_(a.id == who, a.owner.in_(owners)), sa.or_(a.id == who, a.version > 0))
            .order_by(a.owner, a.currency, a.purpose)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            names = await _names(connection, (row.id for row in rows))
        return [
            ExplainedAccount(row.id, names[row.id], row.currency, row.balance_minor, row.version)
            for row in rows
        ]

    async def entries(self, account: ExplainedAccount) -> AsyncIterator[Sequence[ExplainedEntry]]:
        """The account's entries, oldest first, as they stood when the first were asked for.

        Raises `StorageUnavailable`.
        """
        entries, m = entries_back(t.accounts.c.id == account.id), t.transfers.c
        e = entries.c
        query = (
            sa.select(
                *(e.seq, e.amount_minor, e.balance_after_minor, e.transfer_id),
                *(m.kind, m.subject, m.created_at_us),
            )
            .join_from(entries, t.transfers, m.id == e.transfer_id)
            .order_by(e.seq)
        )
        async with snapshot(self._database) as connection:
            async for lines in pages(connection, query, _Line):
                yield await _explained(connection, account, lines)


class _Line(msgspec.Struct, frozen=True):
    """An entry and its transfer."""

    seq: int
    amount_minor: int
    balance_after_minor: int
    transfer_id: UUID
    kind: str
    subject: str
    at_us: int


async def _explained(
    connection: AsyncConnection, account: ExplainedAccount, lines: Sequence[_Line]
) -> list[ExplainedEntry]:
    known = await known_subjects(connection, (line.subject for line in lines))
    others = await _counterparts(connection, account.id, [line.transfer_id for line in lines])
    entries = [
        ExplainedEntry(
            **msgspec.structs.asdict(line),
            account_id=account.id,
            currency=account.currency,
            counterparts=tuple(others[line.transfer_id]),
        )
        for line in lines
    ]
    return [msgspec.structs.replace(entry, **known.get(entry.subject, {})) for entry in entries]


async def _counterparts(
    connection: AsyncConnection, account_id: str, transfer_ids: Sequence[UUID]
) -> dict[UUID, list[Counterpart]]:
    m, e, a = t.transfers.c, t.entries.c, t.accounts.c
    # Each batch is looked through once, however many of its transfers are wanted.
    batches = sa.select(m.chain_no, m.batch_no).where(m.id.in_(transfer_ids)).distinct().subquery()
    query = (
        sa.select(e.transfer_id, a.id.label("account_id"), e.amount_minor)
        .join_from(batches, t.entries, in_batch(batches.c, e))
        .join(t.accounts, a.no == e.account_no)
        .where(e.transfer_id.in_(transfer_ids), a.id != account_id)
        .order_by(a.id, e.seq)
    )
    rows = (await connection.execute(query)).all()
    names = await _names(connection, (row.account_id for row in rows))
    found: dict[UUID, list[Counterpart]] = defaultdict(list)
    for row in rows:
        found[row.transfer_id].append(
            Counterpart(row.account_id, names[row.account_id], row.amount_minor)
        )
    return found


async def _names(connection: AsyncConnection, account_ids: Iterable[str]) -> dict[str, str]:
    """Account → its owner in words."""
    owners = {account_id: account_id.rsplit("/", 2)[0] for account_id in account_ids}
    ids: dict[str, set[str]] = defaultdict(set)
    for owner in owners.values():
        kind, _, rest = owner.partition(":")
        ids[kind].add(rest)
    words = {f"provider:{name}": f"the till of {name}" for name in ids["provider"]}
    words |= {f"{kind}:{name}": name for kind in ("escrow", "exchange") for name in ids[kind]}
    words |= {f"house:{name}": "the house" for name in ids["house"]}
    wallets = sa.select(t.wallets.c.id, t.wallets.c.person_id)
    for row in await connection.execute(wallets.where(t.wallets.c.id.in_(ids["wallet"]))):
        words[f"wallet:{row.id}"] = f"wallet {row.id} of {row.person_id}"
    merchants = sa.select(t.merchants.c.id, t.merchants.c.name)
    for row in await connection.execute(merchants.where(t.merchants.c.id.in_(ids["merchant"]))):
        words[f"merchant:{row.id}"] = f"{row.name} ({row.id})"
    return {account_id: words.get(owner, owner) for account_id, owner in owners.items()}
