"""Quotes that are older than what they are of get it from their offers."""

import sqlalchemy as sa
from alembic import command

from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.migrate import alembic_config, migrate


async def test_a_quote_of_before_is_of_what_its_offer_is(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0016"))
        for number, sku in enumerate(("'TEA-1'", "NULL")):
            await connection.execute(
                sa.text(
                    "INSERT INTO offers (id, url, host, title, sku, sold, seen_at_us) VALUES "  # noqa: S608 - our own
                    f"('of_{number}', 'https://tea.example/{number}', 'tea.example', "
                    f"'Tea {number}', {sku}, 0, 1)"
                )
            )
            await connection.execute(
                sa.text(
                    "INSERT INTO quotes (id, offer_id, amount_minor, currency, trust, reason, "  # noqa: S608 - our own
                    "seller, created_at_us, expires_at_us) VALUES "
                    f"('q_{number}', 'of_{number}', 490, 'CNY', 'hold', '', '', 1, 2)"
                )
            )
    await migrate(database)
    async with database.read() as connection:
        q = t.quotes.c
        query = sa.select(q.id, q.title, q.sku, q.url, q.amount_minor).order_by(q.id)
        assert [tuple(row) for row in await connection.execute(query)] == [
            ("q_0", "Tea 0", "TEA-1", "https://tea.example/0", 490),
            ("q_1", "Tea 1", None, "https://tea.example/1", 490),
        ]
    await database.close()
