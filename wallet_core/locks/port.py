"""What the domain knows of leases: a port, its errors, and the port's trivial implementation.

A lease keeps two processes from working on one wallet at the same time. It is a courtesy that
saves wasted work, never what keeps money right: that is the fence, a number in the database which
each grant raises and each commit that carries it checks. So everything stays right when a lease is
switched off, lost, stolen, or when whatever keeps it is emptied.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from wallet_core.errors import PayontapError

_SURROGATE = re.compile("[\ud800-\udfff]")

TTL_S = 10.0
WAIT_S = TTL_S + 2.0
"""How long to wait for a lease in front of a person: longer than that of a process that died, so
that a crash keeps the next one waiting and does not turn him away."""

RaiseFence = Callable[[str], Awaitable[int]]
"""Raises the fence of one wallet in the database and answers its new value."""


class LeaseUnavailable(PayontapError):
    """No lease could be had: the store is down, or the wait was too long. Nothing was done."""


class LeaseLost(PayontapError):
    """The lease ended before its holder did, who was cancelled where he waited.

    What the holder committed before stays; a commit that carries the fence is checked by the
    database, so it is either wholly done or refused.
    """


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held: who asked for it, and the fence of each wallet."""

    token: str
    fences: Mapping[str, int]


@dataclass(slots=True)
class LeaseCounts:
    """How often each thing happened since the start; for metrics."""

    granted: int = 0
    queued: int = 0  # granted or not, it had to wait for another
    timed_out: int = 0  # gave up after wait_s
    unreachable: int = 0  # the store did not answer an acquire
    cancelled: int = 0  # the caller was cancelled while it waited
    fence_failed: int = 0  # granted, but the database could not raise the fence
    lost_to_other: int = 0  # at renewal the store no longer knew the lease
    lost_unrenewed: int = 0  # the store did not answer until the lease's life was over
    release_failed: int = 0  # the store did not answer a release; its life ends it


class LeasePort(Protocol):
    """Gives leases on wallets."""

    def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AbstractAsyncContextManager[Lease]:
        """A lease on all these wallets together, for the time of the block.

        `token` names the work, such as an event's id: when the same work asks again after an
        answer that got lost, or after its process died, it gets the lease that it already had.
        At most `wait_s` seconds are spent on waiting. The lease is kept alive for as long as the
        block runs; if this process dies it ends by itself within `ttl_s` seconds.

        Raises LeaseUnavailable before the block, and LeaseLost out of it. Not reentrant: a block
        that asks again for a wallet it holds waits for itself.
        """
        ...


def checked_wallets(wallet_ids: tuple[str, ...], token: str) -> list[str]:
    """The wallets without doubles, in the one order in which everybody takes them.

    Raises ValueError when there is none, when an id or the token is empty or no Unicode, or when an
    id holds a line break.
    """
    if not token or not wallet_ids or not all(wallet_ids):
        raise ValueError("a lease needs a token and at least one wallet, none of them empty")
    if any("\n" in wallet for wallet in wallet_ids):
        raise ValueError("a wallet's id cannot hold a line break")
    if any(map(_SURROGATE.search, (token, *wallet_ids))):
        raise ValueError("a token or a wallet's id that is no Unicode can be told to nobody")
    return sorted(set(wallet_ids))


async def raised_fences(raise_fence: RaiseFence, wallets: list[str]) -> Mapping[str, int]:
    """The new fence of each wallet."""
    return MappingProxyType({wallet: await raise_fence(wallet) for wallet in wallets})


@dataclass(slots=True)
class NoLeases:
    """Grants every lease at once, so that only the fence stands between two processes."""

    raise_fence: RaiseFence
    counts: LeaseCounts = field(default_factory=LeaseCounts)

    @asynccontextmanager
    async def hold(
        self, *wallet_ids: str, token: str, wait_s: float, ttl_s: float = TTL_S
    ) -> AsyncIterator[Lease]:
        """See LeasePort; raises nothing of its own."""
        del wait_s, ttl_s  # nobody waits and nothing ends here
        wallets = checked_wallets(wallet_ids, token)
        fences = await raised_fences(self.raise_fence, wallets)
        self.counts.granted += 1
        yield Lease(token, fences)
