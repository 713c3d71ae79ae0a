from collections.abc import AsyncIterator

import pytest

from bot.demo.shop import DemoShop
from bot.links.fetch import Fetcher
from tests.bot.commands.chat import Chat
from tests.peers.tables import create_tables
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer


async def _nothing_sold(_url: str) -> int:
    return 0


@pytest.fixture
async def demo_shop() -> AsyncIterator[DemoShop]:
    """A shop on loopback that can show tokens."""
    shop = DemoShop("127.0.0.1", 0, _nothing_sold)
    await shop.start()
    yield shop
    await shop.stop()


@pytest.fixture
async def chat(database_url: str, demo_shop: DemoShop) -> AsyncIterator[Chat]:
    """The conversation, on SQLite and on PostgreSQL."""
    database = Database(database_url)
    await create_tables(database)
    origin = ("127.0.0.1", int(demo_shop.url.rpartition(":")[2]))
    async with Fetcher(allowed_origins=frozenset({origin})) as fetcher, Writer(database) as writer:
        yield Chat(database, writer, fetcher)
    await database.close()
