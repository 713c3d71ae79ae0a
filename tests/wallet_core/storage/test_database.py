"""The address of a database is what people know from PostgreSQL's own programs."""

import pytest
import sqlalchemy as sa

from wallet_core.errors import StorageUnavailable
from wallet_core.storage.database import Database, UnusableAddress, driver_options


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://a:p%40ss@db.example/pay?sslmode=require", "require"),
        (
            "postgres://a:p%40ss@db.example/pay?ssl=verify-full&sslmode=prefer",
            "verify-full",
        ),
        ("postgresql+asyncpg://a:p%40ss@db.example/pay?sslmode=disable", "disable"),
    ],
)
async def test_sslmode_is_understood_as_libpq_does(url: str, mode: str) -> None:
    database = Database(url)
    options = driver_options(database.engine, database.url)
    assert options["ssl"] == mode
    assert "sslmode" not in options
    assert (options["host"], options["database"]) == ("db.example", "pay")
    assert options["password"] == "p@ss"
    await database.close()


def test_what_the_driver_does_not_know_is_named() -> None:
    with pytest.raises(UnusableAddress, match="has 'sslrootcert' in it"):
        Database("postgresql://a@db.example/pay?sslrootcert=x")


async def test_a_server_without_what_sslmode_asks_for_is_away() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?sslmode=require")
    with pytest.raises(StorageUnavailable):
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
    await database.close()
