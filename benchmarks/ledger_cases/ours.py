"""Our side: transfers and checkouts through the public Python API.

Idempotency, entries, balances, limits and hash chain are on, as in an instance.
"""

import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

from benchmarks.goods import CNY
from benchmarks.ledger_cases import town
from benchmarks.ledger_cases.ids import TimeOrderedIds
from benchmarks.ledger_cases.loops import Act
from bot.conversation.announcer import announce
from wallet_core.commerce.checkout import Checkout, TapOn, Terms
from wallet_core.commerce.records import Place
from wallet_core.ledger import accounts
from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, Transfer
from wallet_core.locks import Leases
from wallet_core.storage.database import Database
from wallet_core.storage.readers import Reader
from wallet_core.storage.writer import Writer

AMOUNT_MINOR_MAX = 100


def commit_of(transfer: Transfer) -> Commit:
    """The commit of one transfer, idempotent by the transfer's id."""
    return Commit(transfers=(transfer,))


@asynccontextmanager
async def transfers(url: str, wallets: int, *, hot: bool) -> AsyncIterator[Act]:
    """Transfers from any wallet to any other, or where `hot` all to one merchant."""
    database = Database(url)
    try:
        async with town.writer_on(database) as writer:
            refs = [town.wallet(number) for number in range(wallets)]
            shop = accounts.merchant(town.merchant_id(0), CNY) if hot else None
            yield _transfer(writer, refs, shop)
    finally:
        await database.close()


def _transfer(writer: Writer, refs: list[AccountRef], shop: AccountRef | None) -> Act:
    new_id, chance, count = TimeOrderedIds(), random.random, len(refs)

    async def act() -> UUID:
        payer = int(chance() * count)
        # The other wallet is never the same one.
        payee = shop or refs[payer - 1 - int(chance() * (count - 1))]
        amount_minor = 1 + int(chance() * AMOUNT_MINOR_MAX)
        legs = (Leg(refs[payer], -amount_minor), Leg(payee, amount_minor))
        transfer = Post(id=new_id(), legs=legs)
        await writer.commit(commit_of(transfer))
        return transfer.id

    return act


def pairs(wallets: int, quotes: int) -> Iterator[tuple[int, int]]:
    """Numbers of a wallet and a quote, in an order in which no pair comes twice."""
    order = random.sample(range(wallets), wallets)
    for turn in range(quotes):
        for wallet in order:
            yield wallet, (wallet + turn) % quotes


@asynccontextmanager
async def checkouts(url: str, valkey_url: str, wallets: int) -> AsyncIterator[Act]:
    """Taps, each a new event of a wallet on a quote that it has not bought yet.

    Everything of a tap is there: lease in Valkey and fence, limits, hold, order, stock, attempt,
    event key, and what is said (the buyer's card, and the edit of the card in the room).
    """
    database = Database(url)
    try:
        async with (
            town.writer_on(database) as writer,
            Leases(valkey_url, writer.raise_fence) as leases,
        ):
            terms = Terms(undo_window_s=3_600.0, accept_within_s=3_600.0)
            checkout = Checkout(writer, Reader(database), leases, announce, terms)
            yield _tap(checkout, wallets)
    finally:
        await database.close()


def _tap(checkout: Checkout, wallets: int) -> Act:
    new_id, taps = TimeOrderedIds(), pairs(wallets, town.QUOTES)
    payers = [town.payer(number) for number in range(wallets)]
    quotes = [town.quote_id(number) for number in range(town.QUOTES)]

    async def act() -> UUID:
        try:
            wallet, quote = next(taps)
        except StopIteration:
            raise RuntimeError("every wallet has bought every quote: take more quotes") from None
        name = new_id()
        await checkout.tap(
            TapOn(
                event_id=f"{town.NETWORK}:{name.hex}",
                quote_id=quotes[quote],
                payer=payers[wallet],
                place=Place(town.NETWORK, town.ROOM, f"person-{wallet}"),
                at_us=time.time_ns() // 1000,
                tap_ref=name.hex,
            )
        )
        return name

    return act
