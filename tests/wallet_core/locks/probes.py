"""What the tests of the leases look at and wait for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.peers.valkey import ValkeyPeer
from wallet_core.locks import LeasePort, Leases, LeaseUnavailable


class Fences:
    """Stands in for the database: a number for each wallet that only grows."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    async def raised(self, wallet: str) -> int:
        await asyncio.sleep(0)
        self.values[wallet] = self.values.get(wallet, 0) + 1
        return self.values[wallet]


@asynccontextmanager
async def leases_at(
    peer: ValkeyPeer, fences: Fences | None = None, *, answer_within_s: float = 2.0
) -> AsyncIterator[Leases]:
    fences = fences or Fences()
    async with Leases(peer.url, fences.raised, answer_within_s=answer_within_s) as leases:
        yield leases


def keys(peer: ValkeyPeer) -> list[str]:
    """What is left in the store, but for the counter and the marks of living processes."""
    words = peer.ask("KEYS", "payontap:*").split("\r\n")
    return [word for word in words if ":held:" in word or ":queue:" in word]


async def held(
    leases: LeasePort,
    wallet: str,
    release: asyncio.Event,
    token: str = "first",  # noqa: S107 - the name of some work, no secret
) -> None:
    async with leases.hold(wallet, token=token, wait_s=5):
        await release.wait()


async def until_kept(peer: ValkeyPeer, part: str) -> None:
    async with asyncio.timeout(30):
        while not any(part in key for key in keys(peer)):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.005)


async def until_empty(peer: ValkeyPeer) -> None:
    async with asyncio.timeout(20):
        while keys(peer):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


async def granted_again(leases: Leases) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with leases.hold("w", token="again", wait_s=3):
                    return
            except LeaseUnavailable:
                await asyncio.sleep(0.05)
