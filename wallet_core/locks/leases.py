"""Leases kept in Redis or Valkey: fair, woken instead of polling, renewed while they are held."""

import asyncio
import itertools
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from redis.exceptions import RedisError

from wallet_core.locks.holder import LeaseHolder, Loss
from wallet_core.locks.pipe import Answer, ScriptPipe, connected_to
from wallet_core.locks.port import (
    TTL_S,
    Lease,
    LeaseCounts,
    LeaseLost,
    LeaseUnavailable,
    RaiseFence,
    checked_wallets,
    raised_fences,
)
from wallet_core.locks.scripts import ACQUIRE, LET_GO, RENEW, TEND, wake_channel
from wallet_core.locks.wakes import WakeListener

_TEND_EACH_S = 1.0
_ALIVE_MS = 3_000
_QUEUE_MS = 3_600_000
_PAYMENTS_OF_A_DEBT = 2
# By then the lease itself has ended, and a place in a queue is given up when its turn comes.
_DEBT_S = 30.0


@dataclass(slots=True)
class _Waiter:
    """A request that waits for its turn."""

    wallets: list[str]
    turn: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Debt:
    """What a request that failed may have left in the store, and how often that was let go."""

    wallets: list[str]
    forgiven_at: float
    paid: int = 0

    def count(self, answer: asyncio.Future[Answer]) -> None:
        """One more release, if it was answered."""
        self.paid += answer.exception() is None


class Leases:
    """Gives leases through one store, which all processes of an instance share.

    `url` is redis://, rediss:// or unix://; `answer_within_s` is how long the store may take for
    one answer before it counts as down. Between `start` and `stop` one command connection and one
    subscription are open. When nobody waits and nobody holds, nothing is sent.
    """

    def __init__(self, url: str, raise_fence: RaiseFence, *, answer_within_s: float = 2.0) -> None:
        self.counts = LeaseCounts()
        self._url = url
        self._raise_fence = raise_fence
        self._answer_within_s = answer_within_s
        self._instance = secrets.token_hex(8)
        self._serial = itertools.count(1)
        self._waiting: dict[str, _Waiter] = {}
        self._holding: dict[str, LeaseHolder] = {}
        self._working: Counter[str] = Counter()
        self._debts: dict[str, _Debt] = {}
        self._busy = asyncio.Event()
        self._pipe: ScriptPipe | None = None
        self._wakes: WakeListener | None = None
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins; returns at once, also while the store is down."""
        self._pipe = ScriptPipe(
            connected_to(self._url, answer_within_s=self._answer_within_s),
            answer_within_s=self._answer_within_s,
        )
        self._wakes = WakeListener(
            connected_to(self._url, answer_within_s=self._answer_within_s),
            wake_channel(self._instance),
            on_wake=self._woken,
            on_ready=self._wake_all,
        )
        self._tending = asyncio.create_task(self._tend())

    async def is_answered(self) -> bool:
        """Whether the store answers just now; without it every checkout is refused."""
        async with connected_to(self._url, answer_within_s=self._answer_within_s) as store:
            try:
                await store.ping()
            except (RedisError, OSError):
                return False
        return True

    async def stop(self) -> None:
        """Sends the releases that are queued and closes the connections."""
        if self._pipe is None or self._wakes is None or self._tending is None:
            return
        self._tending.cancel()
        await asyncio.wait([self._tending])
        await self._wakes.close()
        await self._pipe.close()
        self._wake_all()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @asynccontextmanager
    async def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AsyncIterator[Lease]:
        """See LeasePort."""
        wallets = checked_wallets(wallet_ids, token)
        member = f"{self._instance}|{next(self._serial)}|{token}"
        self._working[token] += 1
        try:
            sent_at = await self._acquired(member, wallets, token, wait_s, ttl_s)
            holder = self._holding[member] = self._holder(member, wallets, sent_at, ttl_s)
            try:
                fences = await self._fences(wallets)
                self.counts.granted += 1
                yield Lease(token, fences)
            except asyncio.CancelledError as cancelled:
                if holder.was_cancelled_by_loss():
                    sentence = f"The lease of {token} was lost: {holder.loss}."
                    raise LeaseLost(sentence) from cancelled
                raise
            finally:
                holder.stop()
                del self._holding[member]
                self._let_go(member, wallets)
        finally:
            self._forget(token)

    async def _acquired(
        self, member: str, wallets: list[str], token: str, wait_s: float, ttl_s: float
    ) -> float:
        """Waits for the grant; answers the loop's time at which it was asked for."""
        try:
            return await self._granted(member, wallets, token, wait_s, ttl_s)
        except _TooLongError:
            self.counts.timed_out += 1
            self._let_go(member, wallets)
            raise LeaseUnavailable(f"The wallet was busy for {wait_s:g} s.") from None
        except (RedisError, TimeoutError) as error:
            self.counts.unreachable += 1
            self._let_go(member, wallets)
            self._owe(member, wallets)
            raise LeaseUnavailable("The store of the leases does not answer.") from error
        except asyncio.CancelledError:
            self.counts.cancelled += 1
            self._let_go(member, wallets)
            raise
        finally:
            self._waiting.pop(member, None)

    async def _granted(
        self, member: str, wallets: list[str], token: str, wait_s: float, ttl_s: float
    ) -> float:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        waiter = self._waiting[member] = _Waiter(wallets)
        self._busy.set()
        await self._listening()
        queued = False
        while True:
            waiter.turn.clear()
            sent_at = loop.time()
            # Work of this process with the same token that is still at it is waited for; what an
            # answer that got lost left behind is taken over.
            resumes = int(self._working[token] == 1)
            life = (round(ttl_s * 1_000), _ALIVE_MS, _QUEUE_MS, resumes)
            granted, lapsed = await self._ask(ACQUIRE, member, *life, *wallets)
            if lapsed:
                self._wake_all()
            if granted:
                return sent_at
            if not queued:
                queued = True
                self.counts.queued += 1
            try:
                async with asyncio.timeout_at(give_up_at):
                    await waiter.turn.wait()
            except TimeoutError:
                raise _TooLongError from None

    def _holder(self, member: str, wallets: list[str], sent_at: float, ttl_s: float) -> LeaseHolder:
        async def renew() -> bool:
            (still_ours,) = await self._ask(RENEW, member, round(ttl_s * 1_000), *wallets)
            return bool(still_ours)

        return LeaseHolder(sent_at=sent_at, ttl_s=ttl_s, renew=renew, on_loss=self._count_loss)

    async def _fences(self, wallets: list[str]) -> Mapping[str, int]:
        try:
            return await raised_fences(self._raise_fence, wallets)
        except Exception:
            self.counts.fence_failed += 1
            raise

    def _count_loss(self, loss: Loss) -> None:
        if loss is Loss.TO_OTHER:
            self.counts.lost_to_other += 1
        else:
            self.counts.lost_unrenewed += 1

    async def _listening(self) -> None:
        if self._wakes is None:
            raise RuntimeError("start() comes before the first lease")
        if self._wakes.is_ready():
            return
        async with asyncio.timeout(self._answer_within_s):
            await self._wakes.ready()

    async def _ask(self, step: str, *words: str | int) -> Answer:
        """The store's answer.

        Raises RedisError or TimeoutError; then the step ran, or will run, or will not.
        """
        if self._pipe is None:
            raise RuntimeError("start() comes before the first lease")
        return await self._pipe.call(step, *words)

    def _let_go(self, member: str, wallets: list[str]) -> None:
        """Queues the release and does not wait for it, so nothing can come between."""
        if self._pipe is None:
            return

        def settled(answer: asyncio.Future[Answer]) -> None:
            if answer.exception() is not None:
                self.counts.release_failed += 1
                self._owe(member, wallets)

        self._pipe.call(LET_GO, member, *wallets).add_done_callback(settled)

    def _owe(self, member: str, wallets: list[str]) -> None:
        """Lets go again later: the store may still run what it was sent on a lost connection."""
        now = asyncio.get_running_loop().time()
        self._debts.setdefault(member, _Debt(wallets, forgiven_at=now + _DEBT_S))
        self._busy.set()

    def _pay_debts(self) -> None:
        """Queues the releases that are owed; twice each, for one may overtake what it undoes."""
        if self._pipe is None:
            return
        for member, debt in self._debts.items():
            self._pipe.call(LET_GO, member, *debt.wallets).add_done_callback(debt.count)

    def _forget_debts(self) -> None:
        now = asyncio.get_running_loop().time()
        for member, debt in list(self._debts.items()):
            if debt.paid == _PAYMENTS_OF_A_DEBT or now > debt.forgiven_at:
                del self._debts[member]

    def _forget(self, token: str) -> None:
        self._working[token] -= 1
        if not self._working[token]:
            del self._working[token]

    def _woken(self, message: str) -> None:
        wallet, _, member = message.partition("\n")
        waiter = self._waiting.get(member)
        if waiter is not None:
            waiter.turn.set()
        elif member not in self._holding:
            # Whoever asked is gone; those behind must not wait for it.
            self._let_go(member, [wallet])

    def _wake_all(self) -> None:
        for waiter in self._waiting.values():
            waiter.turn.set()

    async def _tend(self) -> None:
        """Says once a second that this process lives, and finds the turns that nobody announced.

        Turns are announced by whoever lets go. Nobody does when a holder's process died and its
        lease ended by itself, or when the announcement was lost with a connection.
        """
        while True:
            await self._busy.wait()
            await asyncio.sleep(_TEND_EACH_S)
            self._forget_debts()
            if not (self._waiting or self._holding or self._debts):
                self._busy.clear()
                continue
            wallets = {wallet for waiter in self._waiting.values() for wallet in waiter.wallets}
            try:
                lapsed, *turns = await self._ask(TEND, self._instance, _ALIVE_MS, *sorted(wallets))
            except (RedisError, TimeoutError):
                continue  # holders and waiters notice by themselves; the next second tries again
            self._pay_debts()
            if lapsed:
                self._wake_all()
            for turn in turns:
                self._woken(str(turn))


class _TooLongError(Exception):
    """The wait for others was over before the turn came."""
