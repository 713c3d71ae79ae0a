from collections.abc import AsyncIterator

import pytest

from tests.bot.conversation.stall import Stall, stall_at
from tests.wallet_core.world import World, world_at


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A shop's process on a fresh database, without leases."""
    async with world_at(database_url) as world:
        yield world


@pytest.fixture
async def stall(database_url: str) -> AsyncIterator[Stall]:
    """A stall whose host is its shop's own, and anna, who has 1,000.00."""
    async with stall_at(database_url) as stall:
        await stall.prove()
        await stall.chat.fund("anna", 100_000)
        yield stall
