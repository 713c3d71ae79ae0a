from collections.abc import AsyncIterator

import pytest

from tests.wallet_core.world import World, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A shop's process on a fresh database, without leases."""
    async with world_at(database_url) as world:
        yield world
