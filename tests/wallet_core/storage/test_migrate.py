"""The migrations make exactly the schema that the code speaks of, on both databases."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from wallet_core.storage import tables as t
from wallet_core.storage import web_chat
from wallet_core.storage.database import Database, metadata
from wallet_core.storage.migrate import migrate


async def test_after_all_migrations_nothing_is_missing_and_nothing_is_left_over(
    empty_database_url: str,
) -> None:
    assert "web_messages" in metadata.tables
    assert t.entries.metadata is web_chat.web_messages.metadata is metadata
    database = Database(empty_database_url)
    await migrate(database)
    await migrate(database)

    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_the_migrated_books_are_append_only(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    await migrate(database)
    async with database.write() as connection:
        await connection.execute(
            sa.insert(t.commits).values(key="k", fingerprint=b"f", result="", created_at_us=0)
        )
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as connection:
            await connection.execute(sa.delete(t.commits))
    await database.close()
