"""A whole web server with a chat and a small scripted bot behind it."""

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from bot.adapters.base import Cursor
from bot.adapters.web_chat import CommandHint, WebChat, Welcome
from bot.cards import Button, Card, Line, Outgoing, Picture, Role, Style, Tone
from bot.demo.pictures import draw_picture
from bot.events import Event, Message, Tap
from bot.web import pages
from bot.web.server import WebServer
from wallet_core.storage.database import Database
from wallet_core.storage.web_chat import (
    WebChatTables,
    web_edits,
    web_messages,
    web_people,
    web_rooms,
)

COMMANDS = (
    CommandHint("/balance", "What you have"),
    CommandHint("/help", "What this bot can do"),
    CommandHint("/history", "Your last payments"),
    CommandHint("/topup", "Put money into your wallet"),
)
WELCOME = Welcome(
    shop_url="http://127.0.0.1:8081/",
    sample_url="http://127.0.0.1:8081/p/qinghua-teacup",
    suggestions=("/topup 500", "/balance", "/help"),
)


class House:
    """The server, and a bot that answers by a script.

    A link is answered by an offer; its tap by "Paid · Undo" for the tapper and "1 bought" for
    all; "/balance" privately; "silent" not at all.
    """

    def __init__(self, database: Database) -> None:
        self.heard: list[Event] = []
        self.claimed: list[tuple[str, str, str]] = []
        self.ready = True
        self.undo_s = 8.0
        self.answers = True
        self.pictures: dict[str, tuple[str, bytes]] = {}
        self.chat = WebChat(
            WebChatTables(database), page=pages.chat_page(), commands=COMMANDS, welcome=WELCOME
        )
        self.server = self.server_on(0)
        self.working: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()

    def server_on(self, port: int, public_url: str = "") -> WebServer:
        return WebServer(
            "127.0.0.1",
            port,
            pictures=self,
            visitors=self.chat,
            claims=self,
            ready=self.is_ready,
            routes=[self.chat.add_routes],
            public_url=public_url,
            open_paths=("/hooks/",),
        )

    async def is_ready(self) -> bool:
        return self.ready

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        return self.pictures.get(digest)

    async def claim(self, token: str, network: str, person_id: str) -> str | None:
        if token != "good-token-1234" or self.claimed:
            return None
        self.claimed.append((token, network, person_id))
        return "admin"

    def keep_picture(self, slug: str) -> Picture:
        body = draw_picture(slug)
        digest = hashlib.sha256(body).hexdigest()
        self.pictures[digest] = ("image/jpeg", body)
        with Image.open(io.BytesIO(body)) as image:
            width_px, height_px = image.size
        return Picture(
            digest=digest, alt=slug, mime="image/jpeg", width_px=width_px, height_px=height_px
        )

    async def hear(self, events: Sequence[Event], cursor: Cursor | None = None) -> None:
        del cursor
        for event in events:
            if event.id not in self._seen:
                self._seen.add(event.id)
                self.heard.append(event)
                if self.answers:
                    self.working.add(asyncio.create_task(self._answer(event)))

    async def say(
        self,
        card: Card,
        *,
        room: str = "lobby",
        person_id: str | None = None,
        edits: str | None = None,
        reply_to: str | None = None,
    ) -> str:
        return await self.chat.send(
            Outgoing(
                send_id=f"s:{uuid4()}",
                network="web",
                room_id=room,
                card=card,
                person_id=person_id,
                edits_ref=edits,
                reply_to_ref=reply_to,
            )
        )

    def offer(self, *, bought: int = 0) -> Card:
        status = (Line(f"{bought} bought", Role.STATUS),) if bought else ()
        return Card(
            title="青花瓷茶杯",
            link_url=WELCOME.sample_url,
            picture=self.keep_picture("qinghua-teacup"),
            lines=(
                Line("¥199.00", Role.PRICE),
                Line("✓ Corner Shop 街角小店 · 127.0.0.1:8081", Role.SELLER),
                Line(f"{12 - bought} in stock", Role.STOCK),
                *status,
            ),
            buttons=(Button(label="Pay ¥199.00", action="pay:q1", style=Style.PAY),),
        )

    async def _answer(self, event: Event) -> None:
        if isinstance(event, Message) and "http" in event.text:
            await self.say(self.offer(), room=event.room_id, reply_to=event.message_ref)
        elif isinstance(event, Message) and event.text.startswith(("/", "／")):
            await self.say(
                Card(
                    title="¥301.00",
                    lines=(Line("in your wallet"), Line("Top up with /topup 500", Role.HINT)),
                ),
                room=event.room_id,
                person_id=event.person_id,
            )
        elif isinstance(event, Tap) and event.action == "pay:q1":
            paid = Card(
                title="Paid ¥199.00",
                tone=Tone.GOOD,
                lines=(Line("青花瓷茶杯 · Corner Shop 街角小店"),),
                buttons=(Button(label="Undo", action="undo:h1"),),
                countdown_until_s=time.time() + self.undo_s,
            )
            await self.say(
                paid, room=event.room_id, person_id=event.person_id, reply_to=event.message_ref
            )
            await self.say(self.offer(bought=1), room=event.room_id, edits=event.message_ref)
        elif isinstance(event, Tap) and event.action == "undo:h1":
            undone = Card(title="Undone. Nothing was charged.", tone=Tone.NEUTRAL)
            await self.say(
                undone, room=event.room_id, person_id=event.person_id, edits=event.message_ref
            )
            await self.say(self.offer(), room=event.room_id)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    database = Database(f"sqlite:///{tmp_path / 'chat.db'}")
    async with database.write() as connection:
        for table in (web_people, web_rooms, web_messages, web_edits):
            await connection.run_sync(table.create)
    house = House(database)
    await house.server.start()
    running = asyncio.create_task(house.chat.run(house.hear))
    yield house
    await asyncio.gather(*house.working)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await house.server.stop()
    await database.close()
