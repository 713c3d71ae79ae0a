"""The web chat as a network: rooms by URL, live over a WebSocket, with history."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from bot.adapters.base import Capabilities, Edits, Hear, SendRejected, Unreachable
from bot.adapters.web_chat import frames
from bot.adapters.web_chat.frames import CommandHint, Welcome, shown
from bot.adapters.web_chat.listener import COMMAND_PREFIXES, NETWORK, Listener
from bot.adapters.web_chat.people import (
    BOT_NAME,
    Allowance,
    CookieJar,
    digest_of,
    friendly_name,
    new_person_id,
)
from bot.adapters.web_chat.rooms import Connection, Room, Visitor
from bot.adapters.web_chat.store import ChatStore, KnownPerson, LoggedMessage
from bot.cards import Outgoing

log = logging.getLogger(__name__)

FRAME_BYTES_MAX = 32 * 1024
PAGE_LENGTH = 60
#: A page that missed more than this is sent the last page afresh instead.
MISSED_MAX = 200
PAGES_PER_PERSON_MAX = 20
PAGES_MAX = 2000
TICK_S = 20.0
#: How long a page may take to say goodbye.
CLOSE_TIMEOUT_S = 2.0

_SLUG = re.compile(r"[a-z0-9-]{1,64}")
_AFTER = re.compile(r"[0-9]{1,15}")


class WebChat:
    """The adapter for the network `web`.

    `page` is the chat's page, the same for every room; `public_url` says whether people come
    over https; `burst` and `per_s` are how many frames one person may send.
    """

    network = NETWORK
    capabilities = Capabilities(
        buttons=True,
        reactions=False,
        edits=Edits.LIVE,
        private_in_room=True,
        pictures=True,
        countdown=True,
        text_length_max=frames.TEXT_LENGTH_MAX,
        command_prefixes=COMMAND_PREFIXES,
    )

    def __init__(
        self,
        store: ChatStore,
        *,
        page: bytes,
        public_url: str = "",
        commands: Sequence[CommandHint] = (),
        welcome: Welcome | None = None,
        burst: int = 30,
        per_s: float = 3.0,
    ) -> None:
        self._store = store
        self._page = page
        self._commands = tuple(commands)
        self._welcome = welcome or Welcome()
        self._burst = burst
        self._per_s = per_s
        self._jar = CookieJar(secure=public_url.startswith("https:"))
        self._listener = Listener(store, self.on_change)
        self._rooms: dict[str, Room] = {}
        self._visitors: dict[str, Visitor] = {}
        self._connections: set[Connection] = set()
        self._closing = False

    # The port

    async def run(self, hear: Hear) -> None:
        """Take what people say until cancelled; then send the pages away to come back later."""
        self._listener.hear = hear
        try:
            while True:
                await asyncio.sleep(TICK_S)
                for connection in self._connections:
                    connection.push(frames.Tick(now_s=time.time()))
                self._forget_visitors()
        finally:
            self._listener.hear = None
            await self._send_away()

    async def caught_up(self) -> None:
        """Return at once: pages keep what was not acknowledged and send it when they are back."""

    async def send(self, outgoing: Outgoing) -> str:
        """Keep a card, or an edit, and show it; gives the id of the message that shows it.

        Raises `Unreachable` for a room that cannot be, `SendRejected` for an edit of something
        that is not there or not this person's; what the store raises passes through.
        """
        if not _SLUG.fullmatch(outgoing.room_id):
            raise Unreachable(f"The web chat has no room {outgoing.room_id!r}.")
        await self._listener.settle(outgoing.room_id)
        card_json = msgspec.json.encode(outgoing.card).decode()
        if outgoing.edits_ref is None:
            await self._store.append(
                message_ref=outgoing.send_id,
                room_id=outgoing.room_id,
                only_for_id=outgoing.person_id,
                card_json=card_json,
                reply_to_ref=outgoing.reply_to_ref,
                said_at_s=time.time(),
            )
        elif not await self._store.edit(
            send_id=outgoing.send_id,
            message_ref=outgoing.edits_ref,
            room_id=outgoing.room_id,
            only_for_id=outgoing.person_id,
            card_json=card_json,
            changed_at_s=time.time(),
        ):
            raise SendRejected(f"There is no card {outgoing.edits_ref!r} to edit in that place.")
        self.on_change(outgoing.room_id)
        return outgoing.edits_ref or outgoing.send_id

    def on_change(self, room_id: str) -> None:
        """Show what changed in a room; to be called too when another process changed it."""
        if room := self._rooms.get(room_id):
            room.changed()

    # The web

    def add_routes(self, app: web.Application) -> None:
        """Put the chat's addresses into the web application."""
        app.router.add_get("/", self._to_lobby)
        app.router.add_get("/r/{room}", self._show_page)
        app.router.add_get("/ws", self._serve)
        app.on_shutdown.append(self._on_shutdown)

    def keep_cookie(self, request: web.Request, response: web.StreamResponse) -> None:
        """Make sure that the browser is somebody, from its next request on."""
        self._jar.keep(request, response)

    async def person_of(self, request: web.Request) -> str | None:
        """The public id of who sent the request; None without a cookie."""
        token = self._jar.token_of(request)
        return None if token is None else (await self._open_person(token)).person_id

    async def _to_lobby(self, _request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/r/lobby")

    async def _show_page(self, request: web.Request) -> web.StreamResponse:
        if not _SLUG.fullmatch(request.match_info["room"]):
            raise web.HTTPNotFound(
                text="A room's name has small letters a–z, digits and hyphens, 64 at most."
            )
        response = web.Response(body=self._page, content_type="text/html", charset="utf-8")
        self._jar.keep(request, response)
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        room_id = request.query.get("room", "")
        if not _SLUG.fullmatch(room_id):
            raise web.HTTPNotFound(text="There is no such room.")
        socket = web.WebSocketResponse(
            heartbeat=TICK_S, timeout=CLOSE_TIMEOUT_S, max_msg_size=FRAME_BYTES_MAX, compress=False
        )
        await socket.prepare(request)
        token = self._jar.token_of(request)
        if token is None:
            words = "Your browser kept no cookie. Allow cookies for this site, then reload."
            return await _turn_away(socket, words, after_s=None)
        connection = Connection(request, socket, await self._visitor(token), room_id)
        # Nothing is awaited between this look and the page's being counted, so that a page that
        # comes while the bot is stopped is not forgotten by the goodbye.
        if self._listener.hear is None or self._closing or len(self._connections) >= PAGES_MAX:
            return await _turn_away(socket, "The bot is not ready yet.", after_s=2)
        if len(connection.visitor.connections) >= PAGES_PER_PERSON_MAX:
            words = "You have too many pages open. Close some, then reload."
            return await _turn_away(socket, words, after_s=None)
        await self._converse(connection)
        return socket

    async def _open_person(self, token: str) -> KnownPerson:
        new_id = new_person_id()
        return await self._store.open_person(digest_of(token), new_id, friendly_name(new_id))

    async def _visitor(self, token: str) -> Visitor:
        known = await self._open_person(token)
        allowance = Allowance(burst=self._burst, per_s=self._per_s)
        return self._visitors.setdefault(
            known.person_id, Visitor(known.person_id, known.name, allowance)
        )

    async def _converse(self, connection: Connection) -> None:
        room = self._rooms.setdefault(connection.room_id, Room(connection.room_id, self._store))
        self._connections.add(connection)
        connection.visitor.connections.add(connection)
        room.enter(connection)
        writing: asyncio.Task[None] | None = None
        try:
            # The room queues changes from here on, so none falls between greeting and them.
            hello = await self._hello(connection, room)
            await connection.socket.send_str(frames.write_frame(hello))
            room.follow(hello.revision)
            writing = asyncio.create_task(connection.write())
            async for message in connection.socket:
                if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    break
                await self._take(connection, message.data)
        except msgspec.DecodeError:
            await connection.socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
        except ConnectionError:
            log.debug("A page in room %s went away.", connection.room_id)
        finally:
            self._part(connection, room)
            if writing is not None:
                writing.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await writing
            await room.rest()

    def _part(self, connection: Connection, room: Room) -> None:
        self._connections.discard(connection)
        room.leave(connection)
        if not room.connections and self._rooms.get(room.room_id) is room:
            del self._rooms[room.room_id]
        connection.visitor.connections.discard(connection)

    def _forget_visitors(self) -> None:
        # Somebody who spent their allowance does not get a new one by reconnecting.
        for visitor in tuple(self._visitors.values()):
            if not visitor.connections and visitor.allowance.full:
                del self._visitors[visitor.person_id]

    async def _hello(self, connection: Connection, room: Room) -> frames.Hello:
        visitor = connection.visitor
        after = connection.request.query.get("after", "")
        revision = await self._store.revision(room.room_id)
        messages: Sequence[LoggedMessage] = ()
        fresh = not _AFTER.fullmatch(after) or int(after) > revision
        more = False
        if not fresh:
            missed = await self._store.changes(
                room.room_id, after_revision=int(after), limit=MISSED_MAX + 1
            )
            fresh = len(missed) > MISSED_MAX
            messages = [m for m in missed if m.only_for_id in {None, visitor.person_id}]
        if fresh:
            messages, more = await self._last_page(connection, before_seq=None)
        return frames.Hello(
            now_s=time.time(),
            me=frames.Me(visitor.person_id, visitor.name),
            room=room.room_id,
            bot_name=BOT_NAME,
            revision=revision,
            fresh=fresh,
            more=more,
            messages=tuple(map(shown, messages)),
            people=room.people_count,
            commands=self._commands,
            welcome=self._welcome,
        )

    async def _last_page(
        self, connection: Connection, *, before_seq: int | None
    ) -> tuple[Sequence[LoggedMessage], bool]:
        messages = await self._store.history(
            connection.room_id,
            connection.visitor.person_id,
            before_seq=before_seq,
            limit=PAGE_LENGTH + 1,
        )
        return messages[-PAGE_LENGTH:], len(messages) > PAGE_LENGTH

    async def _take(self, connection: Connection, body: str | bytes) -> None:
        frame = frames.read_frame(body)
        if not isinstance(frame, frames.Earlier):
            await self._listener.take(connection, frame)
        elif not connection.visitor.allowance.take():
            messages, more = await self._last_page(connection, before_seq=frame.before)
            connection.push(frames.Page(messages=tuple(map(shown, messages)), more=more))

    async def _on_shutdown(self, _app: web.Application) -> None:
        self._closing = True
        await self._send_away()

    async def _send_away(self) -> None:
        await asyncio.gather(
            *(
                _turn_away(connection.socket, "The bot is being restarted.", after_s=1)
                for connection in tuple(self._connections)
            ),
        )


async def _turn_away(
    socket: web.WebSocketResponse, words: str, *, after_s: float | None
) -> web.WebSocketResponse:
    with suppress(ConnectionError):
        await socket.send_str(frames.write_frame(frames.Reconnect(words=words, after_s=after_s)))
    await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
    return socket
