"""Open rooms: who has one on the screen, and how what changes reaches them.

A change is never pushed from the memory of whoever made it. `Room.changed` wakes the room's one
reader, which asks the store for everything after the revision it handed out last. So the order
is the store's, nothing is missed between two changes, and another process on the same database
needs to say no more than "this room changed".
"""

import asyncio
import logging
from collections.abc import Iterable

from aiohttp import web

from bot.adapters.web_chat.frames import FrameOut, People, Told, shown, write_frame
from bot.adapters.web_chat.people import Allowance
from bot.adapters.web_chat.store import ChatStore, LoggedMessage

log = logging.getLogger(__name__)

#: Frames that may wait for one page; one that reads more slowly is dropped and comes back.
QUEUE_MAX = 256
CHANGES_AT_ONCE = 200


class Visitor:
    """A person with at least one page open, over all their pages."""

    def __init__(self, person_id: str, name: str, allowance: Allowance) -> None:
        self.person_id = person_id
        self.name = name
        self.allowance = allowance
        self.connections: set[Connection] = set()


class Connection:
    """One open page. Frames wait in a queue, so that a slow page delays nobody."""

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, visitor: Visitor, room_id: str
    ) -> None:
        self.request = request
        self.socket = socket
        self.visitor = visitor
        self.room_id = room_id
        self.refusals = 0
        self._queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX)

    def push(self, frame: FrameOut) -> None:
        """Give the page a frame when it can take it; drop the page when too many wait."""
        try:
            self._queue.put_nowait(write_frame(frame))
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        """Cut the line without a word; the page comes back and catches up."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def write(self) -> None:
        """Send what waits, until cancelled or cut off."""
        while not self.socket.closed:
            await self.socket.send_str(await self._queue.get())


class Room:
    """A room that at least one page has open."""

    def __init__(self, room_id: str, store: ChatStore) -> None:
        self.room_id = room_id
        self.connections: set[Connection] = set()
        self._store = store
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    def enter(self, connection: Connection) -> None:
        """From now on the page gets what changes, once the room is followed."""
        self.connections.add(connection)
        self._tell_presence()

    def leave(self, connection: Connection) -> None:
        """The page is gone; the last one to leave ends the reading."""
        self.connections.discard(connection)
        self._tell_presence()
        self._changed.set()

    async def rest(self) -> None:
        """Return once nothing is being read for a room that everybody left.

        The reading is never cancelled: a database connection that is torn off in the middle of
        a statement is lost.
        """
        if self._reader is not None and not self.connections:
            await asyncio.wait((self._reader,))

    def follow(self, after_revision: int) -> None:
        """Hand out what changes after that revision, unless the room is followed already."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(after_revision))

    def changed(self) -> None:
        """Something in the room changed."""
        self._changed.set()

    @property
    def people_count(self) -> int:
        """How many people, not pages, have the room open."""
        return len({connection.visitor.person_id for connection in self.connections})

    async def _read(self, revision: int) -> None:
        try:
            while self.connections:
                entries = await self._store.changes(
                    self.room_id, after_revision=revision, limit=CHANGES_AT_ONCE
                )
                if entries:
                    self._hand_out(entries)
                    revision = entries[-1].revision
                else:
                    await self._changed.wait()
                self._changed.clear()
        except Exception:
            # Whatever the store raised: the pages come back and read everything they missed.
            log.exception("Room %s cannot be read; its pages have to reconnect.", self.room_id)
            self._reader = None
            for connection in tuple(self.connections):
                connection.drop()

    def _hand_out(self, entries: Iterable[LoggedMessage]) -> None:
        for entry in entries:
            frame = Told(message=shown(entry))
            for connection in tuple(self.connections):
                if entry.only_for_id in {None, connection.visitor.person_id}:
                    connection.push(frame)

    def _tell_presence(self) -> None:
        for connection in self.connections:
            connection.push(People(count=self.people_count))
