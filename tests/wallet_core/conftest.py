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


@pytest.fixture
async def leased_world(database_url: str, valkey: ValkeyPeer) -> AsyncIterator[World]:
    """The same with leases."""
    async with world_at(database_url, valkey_url=valkey.url) as world:
        yield world
        await audit(world.database)


@pytest.fixture(params=["sqlite, leases", "postgres, leases", "postgres, no leases"])
async def any_world(request: pytest.FixtureRequest, valkey: ValkeyPeer) -> AsyncIterator[World]:
    """With leases and without: what holds must not hang on them."""
    kind = request.param.partition(",")[0]
    url: str = request.getfixturevalue(f"{kind}_tables_url")
    valkey_url = None if "no leases" in request.param else valkey.url
    async with world_at(url, valkey_url=valkey_url) as world:
        yield world
        await audit(world.database)
