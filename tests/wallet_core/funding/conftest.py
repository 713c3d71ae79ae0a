"""A world whose money comes in and goes out by a till; its books are right at the end."""

from collections.abc import AsyncIterator

import pytest

from tests.audit import audit
from tests.wallet_core.funding.till import Till
from tests.wallet_core.world import World, world_at


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
async def bank(database_url: str, till: Till) -> AsyncIterator[World]:
    async with world_at(database_url, provider=till) as world:
        yield world
        assert await world.inbox.waiting_count() == 0
        await audit(world.database)
