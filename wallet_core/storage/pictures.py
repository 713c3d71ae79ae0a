"""Product pictures, named by the SHA-256 of their bytes."""

import sqlalchemy as sa

from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.insertion import insert_if_absent


class Pictures:
    """Keeps each picture once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, digest: str, mime: str, body: bytes) -> None:
        """Keep a picture; one that is there already stays as it is."""
        async with self._database.write() as connection:
            await connection.execute(
                insert_if_absent(connection, t.pictures),
                {"digest": digest, "mime": mime, "body": body},
            )

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        """MIME type and bytes, or None when there is no such picture."""
        query = sa.select(t.pictures.c.mime, t.pictures.c.body)
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(t.pictures.c.digest == digest))).first()
        return (row.mime, bytes(row.body)) if row else None
