"""What the web chat remembers: who came, and what was said in which room.

Each room counts its changes: a new message and an edit both take the next revision. The count
is raised in the transaction that writes, which locks the room's row until the commit; so
revisions become visible in their order, and a reader who asks for everything after revision N
never misses one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from wallet_core.storage.database import Database, metadata

web_people = sa.Table(
    "web_people",
    metadata,
    sa.Column("person_id", sa.String(64), primary_key=True),
    sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
)

web_rooms = sa.Table(
    "web_rooms",
    metadata,
    sa.Column("room_id", sa.String(64), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

web_messages = sa.Table(
    "web_messages",
    metadata,
    sa.Column("message_ref", sa.Text, primary_key=True),
    sa.Column("room_id", sa.String(64), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.String(64)),
    sa.Column("only_for_id", sa.String(64)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("card_json", sa.Text),
    sa.Column("reply_to_ref", sa.Text),
    sa.Column("said_at_s", sa.Double, nullable=False),
    sa.Column("changed_at_s", sa.Double, nullable=False),
    sa.Index("ix_web_messages_room_revision", "room_id", "revision", unique=True),
    sa.Index("ix_web_messages_room_seq", "room_id", "seq", unique=True),
)

#: Which edits were made, so that one that is delivered again late does not undo a newer one.
web_edits = sa.Table(
    "web_edits",
    metadata,
    sa.Column("send_id", sa.Text, primary_key=True),
    sa.Column("message_ref", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class WebPerson:
    """Somebody who came: the public id, and the name they chose."""

    person_id: str
    name: str


@dataclass(frozen=True, slots=True)
class WebMessage:
    """One message as it stands now.

    `seq` is its place in the room, `revision` its last change. `person_id` is who said it, None
    for the bot. `only_for_id` is the one person who may see it, None for everybody.
    """

    message_ref: str
    room_id: str
    seq: int
    revision: int
    person_id: str | None
    only_for_id: str | None
    name: str
    text: str
    card_json: str | None
    reply_to_ref: str | None
    said_at_s: float
    changed_at_s: float


class WebChatTables:
    """The web chat's store over SQLite or PostgreSQL.

    All of it raises `StorageUnavailable` when the database is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_person(self, token_sha256: str) -> WebPerson | None:
        """Who holds the secret with this SHA-256 (hex), or None."""
        chosen = sa.select(web_people.c.person_id, web_people.c.name)
        async with self._database.read() as connection:
            row = (
                await connection.execute(chosen.where(web_people.c.token_sha256 == token_sha256))
            ).one_or_none()
        return None if row is None else WebPerson(*row)

    async def open_person(self, token_sha256: str, person_id: str, name: str) -> WebPerson:
        """Who holds this secret; when nobody does, a new person with that id and name."""
        known = await self.find_person(token_sha256)
        if known is not None:
            return known
        async with self._database.write() as connection:
            await connection.execute(
                self._insert(web_people)
                .values(person_id=person_id, token_sha256=token_sha256, name=name)
                .on_conflict_do_nothing(index_elements=["token_sha256"])
            )
        # Two first visits at once: the one that was written is the person.
        return await self.find_person(token_sha256) or WebPerson(person_id, name)

    async def rename(self, person_id: str, name: str) -> None:
        """Give a person another name; what they said before keeps the old one."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(web_people).where(web_people.c.person_id == person_id).values(name=name)
            )

    async def append(
        self,
        *,
        message_ref: str,
        room_id: str,
        said_at_s: float,
        person_id: str | None = None,
        only_for_id: str | None = None,
        name: str = "",
        text: str = "",
        card_json: str | None = None,
        reply_to_ref: str | None = None,
    ) -> None:
        """Keep a new message; one whose `message_ref` is known changes nothing."""
        async with self._database.write() as connection:
            revision = await self._next_revision(connection, room_id)
            await connection.execute(
                self._insert(web_messages)
                .values(
                    message_ref=message_ref,
                    room_id=room_id,
                    seq=revision,
                    revision=revision,
                    person_id=person_id,
                    only_for_id=only_for_id,
                    name=name,
                    text=text,
                    card_json=card_json,
                    reply_to_ref=reply_to_ref,
                    said_at_s=said_at_s,
                    changed_at_s=said_at_s,
                )
                .on_conflict_do_nothing(index_elements=["message_ref"])
            )

    async def edit(
        self,
        *,
        send_id: str,
        message_ref: str,
        room_id: str,
        only_for_id: str | None,
        card_json: str,
        changed_at_s: float,
    ) -> bool:
        """Replace a card of the bot; False when there is no such card to replace.

        The same `send_id` again changes nothing. With `only_for_id` the card must be that
        person's; without it, who may see the card stays as it was.
        """
        bots_own = (
            (web_messages.c.message_ref == message_ref)
            & (web_messages.c.room_id == room_id)
            & web_messages.c.person_id.is_(None)
        )
        if only_for_id is not None:
            bots_own &= web_messages.c.only_for_id == only_for_id
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(sa.literal(1)).where(bots_own)) is None:
                return False
            marked = await connection.execute(
                self._insert(web_edits)
                .values(send_id=send_id, message_ref=message_ref)
                .on_conflict_do_nothing(index_elements=["send_id"])
            )
            if marked.rowcount == 0:
                return True
            await connection.execute(
                sa.update(web_messages)
                .where(bots_own)
                .values(
                    card_json=card_json,
                    changed_at_s=changed_at_s,
                    revision=await self._next_revision(connection, room_id),
                )
            )
        return True

    async def find_message(self, room_id: str, message_ref: str) -> WebMessage | None:
        """The message as it stands now, whoever may see it; None when the room has none such."""
        found = await self._messages(
            sa.select(web_messages).where(
                web_messages.c.message_ref == message_ref, web_messages.c.room_id == room_id
            )
        )
        return found[0] if found else None

    async def revision(self, room_id: str) -> int:
        """The room's last change, 0 for a room where nothing was said."""
        chosen = sa.select(web_rooms.c.revision).where(web_rooms.c.room_id == room_id)
        async with self._database.read() as connection:
            return await connection.scalar(chosen) or 0

    async def changes(
        self, room_id: str, *, after_revision: int, limit: int
    ) -> Sequence[WebMessage]:
        """The first `limit` messages changed after that revision, oldest change first.

        Private ones of everybody are among them: the caller gives each person their own.
        """
        return await self._messages(
            sa.select(web_messages)
            .where(web_messages.c.room_id == room_id, web_messages.c.revision > after_revision)
            .order_by(web_messages.c.revision)
            .limit(limit)
        )

    async def history(
        self, room_id: str, person_id: str, *, before_seq: int | None, limit: int
    ) -> Sequence[WebMessage]:
        """The last `limit` messages that this person may see, before that place, in order."""
        chosen = sa.select(web_messages).where(
            web_messages.c.room_id == room_id,
            web_messages.c.only_for_id.is_(None) | (web_messages.c.only_for_id == person_id),
        )
        if before_seq is not None:
            chosen = chosen.where(web_messages.c.seq < before_seq)
        found = await self._messages(chosen.order_by(web_messages.c.seq.desc()).limit(limit))
        return found[::-1]

    async def _messages(self, chosen: sa.Select[Any]) -> list[WebMessage]:
        async with self._database.read() as connection:
            rows = (await connection.execute(chosen)).mappings().all()
        return [WebMessage(**row) for row in rows]

    async def _next_revision(self, connection: AsyncConnection, room_id: str) -> int:
        counted = self._insert(web_rooms).values(room_id=room_id, revision=1)
        row = await connection.execute(
            counted.on_conflict_do_update(
                index_elements=["room_id"], set_={"revision": web_rooms.c.revision + 1}
            ).returning(web_rooms.c.revision)
        )
        return int(row.scalar_one())

    def _insert(self, table: sa.Table) -> SqliteInsert | PostgresInsert:
        return sqlite_insert(table) if self._database.is_sqlite else postgres_insert(table)
