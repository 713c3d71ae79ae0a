"""People, a room, and an inbox around the bot: all on a real homeserver."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from bot.adapters.base import Cursor
from bot.adapters.matrix import Matrix
from bot.cards import Button, Card, Line, Outgoing, Picture, Style
from bot.events import Event
from tests.peers.synapse import SynapsePeer

_WITHIN_S = 30.0
_Kind = TypeVar("_Kind", bound=Event)

EYES = "\N{EYES}"
CARD = Card(title="Shoes", lines=(Line("¥199.00"),))
OFFER = Card(
    title="Shoes",
    lines=(Line("¥199.00"), Line("React to pay.")),
    buttons=(Button(label="Pay", action="pay", style=Style.PAY, reaction=EYES),),
)


class Inbox:
    """Keeps what was heard in order, as often as it was given, and the last cursor."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.cursor: str | None = None
        self.faults: list[Exception] = []
        self._news = asyncio.Condition()

    async def __call__(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        if self.faults:
            raise self.faults.pop()
        async with self._news:
            self.events.extend(events)
            if cursor is not None:
                self.cursor = cursor.value
            self._news.notify_all()

    async def load_cursor(self, network: str) -> str | None:
        assert network == "matrix"
        return self.cursor

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[_Kind], holds: Callable[[_Kind], bool]) -> _Kind:
        """The first event that the test waits for."""
        async with asyncio.timeout(_WITHIN_S), self._news:
            await self._news.wait_for(lambda: any(holds(event) for event in self.all(kind)))
        return next(event for event in self.all(kind) if holds(event))


class Pictures:
    """The pictures of the bot, and which were asked for."""

    def __init__(self, **bodies: bytes) -> None:
        self._bodies = bodies
        self.asked: list[str] = []

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        self.asked.append(digest)
        body = self._bodies.get(digest)
        return None if body is None else ("image/png", body)


class Person:
    """Somebody with a client."""

    def __init__(self, peer: SynapsePeer, name: str, *, password: str | None = None) -> None:
        self._peer = peer
        self.user_id, self.token = peer.register(name, password=password)

    async def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        full = f"/_matrix/client/v3{path}"
        return await asyncio.to_thread(self._peer.call, method, full, body, token=self.token)

    async def make_room(self, *others: "Person", preset: str = "private_chat") -> str:
        """A room with others in it."""
        body = {"preset": preset, "invite": [other.user_id for other in others]}
        room_id: str = (await self.call("POST", "/createRoom", body))["room_id"]
        for other in others:
            await other.join(room_id)
        return room_id

    async def join(self, room_id: str) -> None:
        await self.call("POST", f"/join/{quote(room_id)}", {})

    async def act(self, room_id: str, action: str, person_id: str) -> None:
        """Invite, kick or ban somebody."""
        await self.call("POST", f"/rooms/{quote(room_id)}/{action}", {"user_id": person_id})

    async def leave(self, room_id: str) -> None:
        await self.call("POST", f"/rooms/{quote(room_id)}/leave", {})

    async def post(self, room_id: str, kind: str, content: dict[str, Any]) -> str:
        path = f"/rooms/{quote(room_id)}/send/{kind}/{secrets.token_hex(8)}"
        event_id: str = (await self.call("PUT", path, content))["event_id"]
        return event_id

    async def say(self, room_id: str, text: str, more: dict[str, Any] | None = None) -> str:
        content = {"msgtype": "m.text", "body": text, **(more or {})}
        return await self.post(room_id, "m.room.message", content)

    async def set_state(self, room_id: str, kind: str, content: dict[str, Any]) -> None:
        await self.call("PUT", f"/rooms/{quote(room_id)}/state/{kind}/", content)

    async def react(self, room_id: str, event_id: str, key: str = EYES) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.post(room_id, "m.reaction", {"m.relates_to": relation})

    async def redact(self, room_id: str, event_id: str) -> str:
        path = f"/rooms/{quote(room_id)}/redact/{quote(event_id)}/{secrets.token_hex(8)}"
        redaction_id: str = (await self.call("PUT", path, {}))["event_id"]
        return redaction_id

    async def event(self, room_id: str, event_id: str) -> dict[str, Any]:
        return await self.call("GET", f"/rooms/{quote(room_id)}/event/{quote(event_id)}")

    async def history(self, room_id: str, sender: str, kind: str) -> list[dict[str, Any]]:
        """The contents of somebody's events that are not redacted, oldest first."""
        path = f"/rooms/{quote(room_id)}/messages?dir=f&limit=1000"
        events = (await self.call("GET", path))["chunk"]
        mine = [event for event in events if (event["sender"], event["type"]) == (sender, kind)]
        return [event["content"] for event in mine if event["content"]]

    async def invitations(self) -> list[str]:
        """The rooms this person is invited to."""
        answer = await self.call("GET", "/sync?timeout=0")
        return list(answer.get("rooms", {}).get("invite", {}))


def make_bot(
    bot: Person,
    inbox: Inbox,
    folder: Path,
    *,
    url: str,
    pictures: Pictures | None = None,
    encryption: bool = False,
) -> Matrix:
    """The adapter for the bot's account."""
    return Matrix(
        url,
        bot.user_id,
        access_token=bot.token,
        cursors=inbox,
        store_dir=folder,
        pictures=pictures or Pictures(),
        encryption=encryption,
        poll_s=5,
        pause_s_max=1,
    )


@asynccontextmanager
async def running(adapter: Matrix, inbox: Inbox) -> AsyncIterator[None]:
    """The adapter, caught up with everything, until the block ends."""
    task = asyncio.create_task(adapter.run(inbox))
    caught_up = asyncio.create_task(adapter.caught_up())
    try:
        async with asyncio.timeout(_WITHIN_S):
            await asyncio.wait({task, caught_up}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        for each in (task, caught_up):
            each.cancel()
        with suppress(asyncio.CancelledError):
            await task


def outgoing(
    room_id: str,
    card: Card = CARD,
    *,
    send_id: str | None = None,
    person: Person | None = None,
    edits_ref: str | None = None,
    reply_to_ref: str | None = None,
) -> Outgoing:
    """A card on its way, under a send id of its own unless one is given."""
    return Outgoing(
        send_id=send_id or f"send-{secrets.token_hex(6)}",
        network="matrix",
        room_id=room_id,
        card=card,
        person_id=None if person is None else person.user_id,
        edits_ref=edits_ref,
        reply_to_ref=reply_to_ref,
    )


def picture(digest: str) -> Picture:
    return Picture(digest=digest, alt="A pair of shoes", mime="image/png", width_px=2, height_px=2)


class Relay:
    """A line to the homeserver that can be cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
