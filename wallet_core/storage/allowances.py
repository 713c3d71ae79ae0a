"""What wallets may still spend, read for people. The writer has its own, locked, reading."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.ledger.accounts import wallet as wallet_account
from wallet_core.ledger.allowance import Allowance
from wallet_core.ledger.transfers import HoldState
from wallet_core.ledger.wallets import Payment, WalletMode, WalletRules, WalletState
from wallet_core.limits import MONTH_US, LimitsOf, Spend, WalletLimits
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.entry_paths import entries_back

#: Newest payments of a wallet that are looked at; somebody with more of them in 30 days is told
#: a little more than what is left, and the posting still counts them all.
_SPENDS_MAX = 5000


class NoSuchWallet(LookupError):
    """There is no wallet of that id."""


async def limits_text(database: Database, wallet_id: str) -> str | None:
    """The limits of a wallet as its row keeps them, to be changed from there."""
    query = sa.select(t.wallets.c.limits).where(t.wallets.c.id == wallet_id)
    async with database.read() as connection:
        text: str | None = (await connection.execute(query)).scalar_one_or_none()
    return text


async def allowance_of(
    database: Database, wallet_id: str, currency: str, limits_of: LimitsOf
) -> Allowance:
    """What the wallet may spend of a currency. Raises `NoSuchWallet`."""
    async with database.read() as connection:
        now_us = await database.now_us(connection)
        rows = await _together(connection, wallet_id)
        own = {row.id: WalletLimits.of_text(row.limits) for row in rows}
        siblings = tuple(sorted(own)) if len(own) > 1 else ()
        modes = {row.id: WalletMode(row.mode) for row in rows}
        rules = WalletRules(
            limits_of,
            {name: WalletState(mode, 0, siblings) for name, mode in modes.items()},
            {
                (name, currency): limits.effective(currency, limits_of(currency), now_us)
                for name, limits in own.items()
            },
        )
        spends = [
            spend
            for name in own
            for spend in await _spends(connection, name, currency, now_us - MONTH_US)
            if rules.is_spending(_payment(name, currency, spend))
        ]
        payees = await _payees(connection, list(own))
    return Allowance(
        currency=currency,
        mode=modes[wallet_id],
        limits=rules.limits_of(wallet_id, currency),
        set_for=own[wallet_id],
        default=limits_of(currency),
        spends=tuple(spends),
        payees=payees,
        now_us=now_us,
    )


async def _together(connection: AsyncConnection, wallet_id: str) -> Sequence[sa.Row[Any, Any, Any]]:
    """The wallet, and those that count together with it."""
    own = sa.select(t.wallets.c.limit_group).where(t.wallets.c.id == wallet_id).scalar_subquery()
    query = sa.select(t.wallets.c.id, t.wallets.c.mode, t.wallets.c.limits).where(
        sa.or_(t.wallets.c.id == wallet_id, t.wallets.c.limit_group == own)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        raise NoSuchWallet(wallet_id)
    return rows


async def _spends(
    connection: AsyncConnection, wallet_id: str, currency: str, since_us: int
) -> list[Spend]:
    given_back = sa.and_(
        t.holds.c.state.in_((HoldState.VOIDED, HoldState.EXPIRED)), t.holds.c.captured_minor == 0
    )
    own = t.accounts.c.id == wallet_account(wallet_id, currency).id
    entries = entries_back(own, limit=_SPENDS_MAX).c
    query = (
        sa.select(t.transfers, entries.amount_minor, given_back.label("given_back"))
        .join(t.transfers, t.transfers.c.id == entries.transfer_id)
        .join(t.holds, t.holds.c.id == t.transfers.c.id, isouter=True)
        .order_by(entries.seq.desc())
    )
    rows = (await connection.execute(query)).all()
    return [
        Spend(row.id, row.created_at_us, -row.amount_minor, row.payee)
        for row in rows
        if row.payee is not None
        and row.amount_minor < 0
        and row.created_at_us > since_us
        and not row.given_back
    ]


async def _payees(connection: AsyncConnection, wallet_ids: Sequence[str]) -> dict[str, int]:
    query = (
        sa.select(t.payees.c.payee, sa.func.min(t.payees.c.since_us).label("since_us"))
        .where(t.payees.c.wallet_id.in_(wallet_ids))
        .group_by(t.payees.c.payee)
    )
    return {row.payee: row.since_us for row in await connection.execute(query)}


def _payment(wallet_id: str, currency: str, spend: Spend) -> Payment:
    account = wallet_account(wallet_id, currency)
    return Payment(wallet_id, account.id, currency, spend.payee, spend.amount_minor)
