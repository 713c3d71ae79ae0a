"""Rooms that go on under another id: whatever was to be said there is said in the new one."""

import sqlalchemy as sa

from wallet_core.storage import tables as t
from wallet_core.storage.catalogue_tables import catalogue_sources
from wallet_core.storage.database import Database


class Moves:
    """Follows rooms. What was said stays where it was said; only what is to come moves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self, network: str, room_id: str, to_room_id: str) -> None:
        """Let everything that leads to a room lead to the new one. Repeating it changes nothing.

        That is: where people are reached, where shops get their orders, where buyers get news of
        theirs, and messages that wait to be sent. An edit of a message stays with its message.
        """
        tables = (t.identities, t.merchants, t.orders, t.funding_requests, catalogue_sources)
        async with self._database.write() as connection:
            for table in tables:
                await connection.execute(
                    sa.update(table)
                    .where(table.c.network == network, table.c.room_id == room_id)
                    .values(room_id=to_room_id)
                )
            await connection.execute(
                sa.update(t.outbox)
                .where(
                    t.outbox.c.network == network,
                    t.outbox.c.room_id == room_id,
                    t.outbox.c.state == "due",
                    t.outbox.c.edits.is_(None),
                )
                .values(room_id=to_room_id)
            )
