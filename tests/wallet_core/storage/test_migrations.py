"""The migrations lead to the very schema that the tables declare."""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from wallet_core.storage.database import Database
from wallet_core.storage.migrate import migrate
from wallet_core.storage.schema import metadata


def differences(connection: sa.Connection) -> list[Any]:
    found = compare_metadata(MigrationContext.configure(connection), metadata)
    return list(found)


async def test_migrating_makes_what_the_tables_say_and_twice_changes_nothing(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    for _ in range(2):
        await migrate(database)
        async with database.read() as connection:
            assert await connection.run_sync(differences) == []
    await database.close()
