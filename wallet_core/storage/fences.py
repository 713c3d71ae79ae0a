"""Fences of wallets, raised beside the writer's batches.

A flow waits for its fence before it decides anything, so it waits for no batch: those who ask at
the same time are served by one statement. It is durable before anybody hears of it, as a fence that
a crash took back would be given out again.

Wallets are locked in everybody's order, and nothing else is. A commit that carries an older fence
and is being written keeps the statement waiting until it stands; one that comes later is refused.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from wallet_core.errors import StorageUnavailable
from wallet_core.storage import requests as q
from wallet_core.storage.database import Database
from wallet_core.storage.grouped import Grouped
from wallet_core.storage.transactions import Transactions

_log = structlog.get_logger(__name__)

#: A wallet, and which request it is that asks.
_Asked = tuple[str, int]

_RAISE = q.Statement(
    "UPDATE wallets w SET fence = w.fence + k.raised FROM unnest($1::text[], $2::bigint[]) "
    "AS k(id, raised) WHERE w.id = k.id RETURNING w.id, w.fence",
    "UPDATE wallets SET fence = fence + ?2 WHERE id = ?1 RETURNING id, fence",
)


class Fences:
    """Raises fences, one statement for all who ask meanwhile."""

    def __init__(self, database: Database) -> None:
        self._transactions = Transactions(database)
        self._number = itertools.count()
        self._grouped: Grouped[_Asked, int] = Grouped(self._raise_all)

    async def raised(self, wallet_id: str) -> int:
        """The new fence of a wallet, of which nobody else hears; 0 for no such wallet.

        Raises `StorageUnavailable`, after which it is unknown whether it was raised.
        """
        return await self._grouped.get((wallet_id, next(self._number))) or 0

    async def _raise_all(self, asked: Sequence[_Asked]) -> Mapping[_Asked, int]:
        counts = Counter(wallet_id for wallet_id, _ in asked)
        rows = await self._insist([(name, counts[name]) for name in sorted(counts)])
        # Each gets a number of its own, in the order in which they asked.
        given = {wallet_id: fence - counts[wallet_id] for wallet_id, fence in rows}
        found: dict[_Asked, int] = {}
        for key in asked:
            wallet_id = key[0]
            if wallet_id in given:
                given[wallet_id] += 1
                found[key] = given[wallet_id]
        return found

    async def _insist(self, wallets: Sequence[tuple[str, int]]) -> Sequence[q.Row]:
        """The raised fences; a repeat after an answer that got lost only skips numbers."""
        pause_s = q.FIRST_PAUSE_S
        for _ in range(q.TRIES_MAX - 1):
            try:
                return await self._transactions.run(_raise(wallets), single=True)
            except StorageUnavailable as error:
                _log.warning("fences_retried", wallets=len(wallets), error=str(error)[:500])
            await asyncio.sleep(pause_s)
            pause_s *= 2
        return await self._transactions.run(_raise(wallets), single=True)


def _raise(wallets: Sequence[tuple[str, int]]) -> q.Work[Sequence[q.Row]]:
    rows: Sequence[q.Row] = yield q.Ask(_RAISE, tuple(zip(*wallets, strict=True)))
    return rows
