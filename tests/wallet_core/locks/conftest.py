from collections.abc import AsyncIterator

import pytest

from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.locks.probes import leases_at
from wallet_core.locks import Leases


@pytest.fixture
async def leases(valkey: ValkeyPeer) -> AsyncIterator[Leases]:
    async with leases_at(valkey) as leases:
        yield leases


@pytest.fixture
async def others(valkey: ValkeyPeer) -> AsyncIterator[Leases]:
    """The leases of another process, as far as the store can tell."""
    async with leases_at(valkey) as leases:
        yield leases
