"""The tables of a test's database."""

import sqlalchemy as sa

from wallet_core.storage.append_only import create_all
from wallet_core.storage.database import Database


async def create_tables(database: Database) -> None:
    """All tables and triggers of today; nothing where they are already."""
    async with database.write() as connection:
        if not await connection.run_sync(lambda sync: sa.inspect(sync).has_table("commits")):
            await connection.run_sync(create_all)
