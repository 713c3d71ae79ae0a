"""A model of the store that keeps leases, and leases that are held in it.

What the store promises is what the real one does: first come, first served; a lease that is not
renewed ends by itself. What it does to those who rely on it is worse: it is emptied, it gives a
lease that is held to somebody else, it does not answer. The holder's side is the real one
(`LeaseHolder`).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

from wallet_core.locks.holder import LeaseHolder, Loss
from wallet_core.locks.port import (
    TTL_S,
    Lease,
    LeaseLost,
    LeaseUnavailable,
    RaiseFence,
    checked_wallets,
    raised_fences,
)
from wallet_core.simulation.faults import Faults

OnGrant = Callable[[Sequence[str]], None]
"""Hears which wallets were just given to whoever runs."""

_ANSWER_WITHIN_S = 2.0
_LOOK_AGAIN_S = 0.4


class LeaseStore:
    """Who holds which wallet until when, and who waits for it, by the loop's clock in seconds."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._held: dict[str, tuple[str, float]] = {}
        self._queues: dict[str, list[str]] = defaultdict(list)

    def acquire(self, member: str, wallets: list[str], ttl_s: float) -> bool:
        """All the wallets or none; whoever gets none has a place in each queue."""
        for wallet in wallets:
            if member not in self._queues[wallet]:
                self._queues[wallet].append(member)
        if not all(self._is_open(wallet, member) for wallet in wallets):
            return False
        for wallet in wallets:
            self._held[wallet] = (member, self._clock_s() + ttl_s)
            self._queues[wallet].remove(member)
        return True

    def renew(self, member: str, wallets: list[str], ttl_s: float) -> bool:
        """Whether the wallets are still the member's; then they are for longer."""
        if not all(self._holder(wallet) == member for wallet in wallets):
            return False
        for wallet in wallets:
            self._held[wallet] = (member, self._clock_s() + ttl_s)
        return True

    def let_go(self, member: str, wallets: list[str]) -> None:
        """Leave nothing of the member behind."""
        for wallet in wallets:
            if self._holder(wallet) == member:
                del self._held[wallet]
            if member in self._queues[wallet]:
                self._queues[wallet].remove(member)

    def forget_process(self, name: str) -> None:
        """Nobody of a process that died waits any more; what it holds ends by its life."""
        for queue in self._queues.values():
            queue[:] = [member for member in queue if not member.startswith(f"{name}|")]

    def flush(self) -> None:
        """Lose everything."""
        self._held.clear()
        self._queues.clear()

    def steal(self, wallet: str) -> None:
        """Take a wallet from whoever holds it; he learns it when he renews."""
        self._held.pop(wallet, None)

    def _is_open(self, wallet: str, member: str) -> bool:
        return self._queues[wallet][0] == member and self._holder(wallet) is None

    def _holder(self, wallet: str) -> str | None:
        member, until_s = self._held.get(wallet, (None, 0.0))
        return member if until_s > self._clock_s() else None


class SimulatedLeases:
    """`LeasePort` of one process on the shared store."""

    def __init__(
        self,
        process: str,
        store: LeaseStore,
        faults: Faults,
        raise_fence: RaiseFence,
        on_grant: OnGrant,
    ) -> None:
        self._process = process
        self._store = store
        self._faults = faults
        self._raise_fence = raise_fence
        self._on_grant = on_grant
        self._serial = count(1)

    @asynccontextmanager
    async def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AsyncIterator[Lease]:
        """See `LeasePort`."""
        wallets = checked_wallets(wallet_ids, token)
        member = f"{self._process}|{next(self._serial)}|{token}"
        sent_at = await self._acquired(member, wallets, wait_s, ttl_s)

        async def renew() -> bool:
            await self._asked()
            return self._store.renew(member, wallets, ttl_s)

        holder = LeaseHolder(sent_at=sent_at, ttl_s=ttl_s, renew=renew, on_loss=self._lost)
        try:
            fences = await raised_fences(self._raise_fence, wallets)
            yield Lease(token, fences)
        except asyncio.CancelledError as cancelled:
            if holder.was_cancelled_by_loss():
                raise LeaseLost(f"The lease of {token} was lost: {holder.loss}.") from cancelled
            raise
        finally:
            holder.stop()
            self._let_go(member, wallets)

    async def _acquired(
        self, member: str, wallets: list[str], wait_s: float, ttl_s: float
    ) -> float:
        """The loop's time at which the grant was asked for. Raises `LeaseUnavailable`."""
        try:
            return await self._granted(member, wallets, wait_s, ttl_s)
        except TimeoutError as error:
            self._let_go(member, wallets)
            raise LeaseUnavailable("The store of the leases does not answer.") from error
        except (LeaseUnavailable, asyncio.CancelledError):
            self._let_go(member, wallets)
            raise

    async def _granted(self, member: str, wallets: list[str], wait_s: float, ttl_s: float) -> float:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        while True:
            sent_at = loop.time()
            await self._asked()
            if self._store.acquire(member, wallets, ttl_s):
                self._on_grant(wallets)
                # The answer takes its time, too.
                await self._asked()
                return sent_at
            if loop.time() >= give_up_at:
                raise LeaseUnavailable(f"The wallet was busy for {wait_s:g} s.")
            await asyncio.sleep(min(_LOOK_AGAIN_S, give_up_at - loop.time()))

    async def _asked(self) -> None:
        """Wait for the store. Raises TimeoutError when it does not answer."""
        await asyncio.sleep(self._faults.travel_s())
        if self._faults.store_is_down():
            await asyncio.sleep(_ANSWER_WITHIN_S)
            raise TimeoutError

    def _let_go(self, member: str, wallets: list[str]) -> None:
        if not self._faults.store_is_down():
            self._store.let_go(member, wallets)

    def _lost(self, loss: Loss) -> None:
        self._faults.note("lease lost", str(loss))
