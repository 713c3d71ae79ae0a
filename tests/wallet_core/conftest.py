from collections.abc import AsyncIterator

import pytest

from tests.audit import audit
from tests.peers.valkey import ValkeyPeer
from tests.wallet_core.world import World, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A shop that nobody has opened yet, without leases; its books are audited at the end."""
    async with world_at(database_url) as world:
        yield world
        await audit(world.database)


@pytest.fixture(params=["leases", "no leases"])
async def any_world(
    request: pytest.FixtureRequest, database_url: str, valkey: ValkeyPeer
) -> AsyncIterator[World]:
    """The same with leases and without: what holds must not hang on them."""
    url = valkey.url if request.param == "leases" else None
    async with world_at(database_url, valkey_url=url) as world:
        yield world
        await audit(world.database)
