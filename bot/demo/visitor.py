"""A person at the web chat, without a browser: says, presses, and waits for what appears."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import aiohttp
import msgspec

from bot.cards import Button, Card, plain_text
from wallet_core.errors import PayontapError

_Found = TypeVar("_Found")


class _Shown(msgspec.Struct):
    """What a visitor needs of a message frame."""

    id: str
    seq: int
    revision: int
    person: str | None = None
    text: str = ""
    private: bool = False
    card: Card | None = None


class _Me(msgspec.Struct):
    """Who the server says the visitor is."""

    id: str


class _Frame(msgspec.Struct):
    """Any frame from the server; what a visitor needs of it."""

    type: str
    me: _Me | None = None
    id: str | None = None
    words: str = ""
    message: _Shown | None = None
    messages: list[_Shown] = []


_frames: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame)


class Seen(msgspec.Struct, frozen=True):
    """A card of the bot as it stands in the room now."""

    id: str
    card: Card
    private: bool

    @property
    def text(self) -> str:
        """All its words."""
        return plain_text(self.card)

    def has_button(self, beginning: str) -> bool:
        """Whether there is a button whose label begins so."""
        return any(button.label.startswith(beginning) for button in self.card.buttons)

    def button(self, beginning: str) -> Button:
        """The button whose label begins so. Raises `NotSeen`."""
        for button in self.card.buttons:
            if button.label.startswith(beginning):
                return button
        raise NotSeen(f"The card “{self.text[:80]}” has no button “{beginning}”.")


class NotSeen(PayontapError):
    """What a visitor waited for did not appear."""


class Visitor:
    """One person in one room of a running instance; see `visit`.

    `person` is the id by which the network knows him, once the server has greeted. `refused` are
    the frames that the server did not take (a button that is no longer there).
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.person = ""
        self._socket = socket
        self._messages: dict[str, _Shown] = {}
        self._acked: set[str] = set()
        self.refused: set[str] = set()
        self._changed = asyncio.Condition()

    async def greeted(self) -> str:
        """Wait for the server's greeting; gives the id by which the network knows this person."""
        return await self._wait(lambda: self.person or None, 10, "the server greeted")

    async def say(self, text: str, *, frame_id: str | None = None) -> str:
        """Write a message; returns its frame id once the server has it for good."""
        return await self._send({"type": "say", "text": text}, frame_id)

    async def press(self, seen: Seen, label: str, *, frame_id: str | None = None) -> str:
        """Press a button; returns the frame id once the server has it for good."""
        action = seen.button(label).action
        return await self._send({"type": "tap", "message": seen.id, "action": action}, frame_id)

    async def rename(self, name: str) -> str:
        """Take another name; returns the frame id once the server has it for good."""
        return await self._send({"type": "name", "name": name}, None)

    async def _send(self, frame: dict[str, str], frame_id: str | None) -> str:
        name = frame_id or str(uuid4())
        await self._socket.send_json({**frame, "id": name})
        await self._wait(lambda: name in self._acked or None, 10, "the server took it")
        return name

    async def see(self, wanted: Callable[[Seen], bool], what: str, *, within_s: float = 15) -> Seen:
        """Wait until the bot shows a card for which `wanted` holds. Raises `NotSeen`."""

        def newest() -> Seen | None:
            return next((seen for seen in reversed(self.cards()) if wanted(seen)), None)

        return await self._wait(newest, within_s, what)

    async def see_text(self, text: str, *, within_s: float = 15) -> Seen:
        """Wait for a card with these words."""
        return await self.see(lambda seen: text in seen.text, f"“{text}”", within_s=within_s)

    def cards(self) -> list[Seen]:
        """All cards in the room that this person may see, oldest first, as they stand now."""
        ordered = sorted(self._messages.values(), key=lambda message: message.seq)
        return [
            Seen(message.id, message.card, message.private)
            for message in ordered
            if message.card is not None
        ]

    async def _wait(self, ask: Callable[[], _Found | None], within_s: float, what: str) -> _Found:
        try:
            async with asyncio.timeout(within_s), self._changed:
                while (found := ask()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise NotSeen(f"Waited {within_s:g} s in vain until {what}.") from None

    async def read(self) -> None:
        """Take in what the server sends, until the connection ends."""
        async for message in self._socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            frame = _frames.decode(message.data)
            async with self._changed:
                self._take(frame)
                self._changed.notify_all()

    def _take(self, frame: _Frame) -> None:
        if frame.me is not None:
            self.person = frame.me.id
        if frame.type in ("ack", "refused") and frame.id is not None:
            self._acked.add(frame.id)
            if frame.type == "refused":
                self.refused.add(frame.id)
        for shown in (*frame.messages, *([frame.message] if frame.message else [])):
            known = self._messages.get(shown.id)
            if known is None or known.revision <= shown.revision:
                self._messages[shown.id] = shown


@asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A browser of one person: it keeps the cookie that makes him the same in each room."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


@asynccontextmanager
async def visit(session: aiohttp.ClientSession, url: str, room: str) -> AsyncIterator[Visitor]:
    """Be in a room of the instance at `url` for the time of the block."""
    async with session.get(f"{url}/r/{room}") as page:
        page.raise_for_status()
    async with session.ws_connect(f"{url}/ws?room={room}", headers={"Origin": url}) as socket:
        visitor = Visitor(socket)
        reading = asyncio.create_task(visitor.read())
        try:
            yield visitor
        finally:
            broken = reading.done() and not reading.cancelled() and reading.exception()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            if broken:
                raise broken


async def claim_admin(session: aiohttp.ClientSession, admin_link: str) -> None:
    """Follow the one-time admin link and press its button."""
    url, _, token = admin_link.partition("/claim?token=")
    async with session.get(admin_link) as page:
        page.raise_for_status()
    headers = {"Origin": url}
    async with session.post(f"{url}/claim", data={"token": token}, headers=headers) as answer:
        answer.raise_for_status()
