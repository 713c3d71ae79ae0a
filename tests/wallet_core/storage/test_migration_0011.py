"""Hosts that were proven before proofs were looked for again are looked at next."""

import sqlalchemy as sa
from alembic import command

from wallet_core.storage.database import Database
from wallet_core.storage.host_checks import HostCheckRows
from wallet_core.storage.migrate import alembic_config, migrate


async def test_a_host_that_was_proven_before_counts_as_seen_then_and_is_due(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0010"))
        await connection.execute(
            sa.text(
                "INSERT INTO merchants (id, name, network, room_id, standing_acceptance, "
                "created_at_us) VALUES ('m_tea', 'Tea House', 'web', 'kitchen', true, 1)"
            )
        )
        await connection.execute(
            sa.text(
                "INSERT INTO merchant_hosts (merchant_id, host, token, verified_host, method, "
                "verified_at_us) VALUES ('m_tea', 'a.example', 't', 'a.example', 'dns', 77), "
                "('m_tea', 'b.example', 'u', NULL, NULL, NULL)"
            )
        )
    await migrate(database)
    (due,) = await HostCheckRows(database).due_hosts(100, 10)
    assert (due.host, due.seen_at_us, due.stage) == ("a.example", 77, None)
    await database.close()
