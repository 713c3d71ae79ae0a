"""Bluesky as the port sees it: read until cancelled, send."""

import asyncio
from pathlib import Path
from typing import NoReturn

import msgspec

from bot.adapters.base import (
    Capabilities,
    Cursor,
    CursorStore,
    Edits,
    Hear,
    NetworkDown,
    PictureSource,
)
from bot.adapters.bluesky.budget import Budget
from bot.adapters.bluesky.client import Client
from bot.adapters.bluesky.faults import LoggedOut
from bot.adapters.bluesky.listening import LATE_EVERY_S, NETWORK, Listener, Place
from bot.adapters.bluesky.session import SessionFile
from bot.adapters.bluesky.speaking import Speaker
from bot.adapters.patience import Patience
from bot.cards import Outgoing

_CAPABILITIES = Capabilities(
    buttons=False,
    reactions=False,
    # A like and a reply bind the post as it was; there are no edits.
    edits=Edits.NONE,
    private_in_room=False,
    pictures=True,
    reply_words=True,
    pay_links=True,
    # 300 graphemes, less the line that leads to the pay page.
    text_length_max=250,
    command_prefixes=("/", "!"),
)


class Bluesky:
    """One account.

    A room and a person are a DID. The session is kept in `store_dir`. `poll_s` is how often the
    server is asked for news, `late_every_s` how often for a whole day's, for what came late;
    `pause_s_max` bounds the pauses in an outage.
    """

    network = NETWORK
    capabilities = _CAPABILITIES

    def __init__(
        self,
        service: str,
        handle: str,
        app_password: str,
        *,
        cursors: CursorStore,
        pictures: PictureSource,
        store_dir: Path,
        poll_s: float = 10.0,
        pause_s_max: float = 60.0,
        late_every_s: float = LATE_EVERY_S,
    ) -> None:
        self._service = service
        self._handle = handle
        self._app_password = app_password
        self._kept = SessionFile(store_dir, service, handle)
        self._cursors = cursors
        self._pictures = pictures
        self._budget = Budget()
        self._poll_s = poll_s
        self._pause_s_max = pause_s_max
        self._late_every_s = late_every_s
        self._client: Client | None = None
        self._speaker: Speaker | None = None
        self._connecting = asyncio.Lock()
        self._caught_up = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        """Read until cancelled.

        Outages are waited out. Raises `AdapterError` when handle and password are refused.
        """
        self._caught_up.clear()
        try:
            await self._read(hear)
        finally:
            await self.close()

    async def caught_up(self) -> None:
        """Return once everything that happened while the bot was away has been heard."""
        await self._caught_up.wait()

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card; gives the name of the post or message.

        Raises the `AdapterError` that fits. A refused password is a `NetworkDown`: the card stays
        sendable, and `run` tells what is wrong.
        """
        try:
            _, speaker = await self._connected()
            return await speaker.send(outgoing)
        except LoggedOut as error:
            raise NetworkDown(str(error)) from error

    async def close(self) -> None:
        """Close the connections; `run` does it at its end. A later `send` opens them again."""
        async with self._connecting:
            client, self._client = self._client, None
            if client is not None:
                await client.close()

    async def _connected(self) -> tuple[Client, Speaker]:
        async with self._connecting:
            if self._client is None or self._speaker is None:
                client = Client(
                    self._service, self._handle, self._app_password, self._kept, self._budget
                )
                try:
                    await client.log_in()
                except BaseException:
                    await client.close()
                    raise
                self._client = client
                self._speaker = Speaker(client, self._pictures)
            return self._client, self._speaker

    async def _read(self, hear: Hear) -> NoReturn:
        patience = Patience(NETWORK, LoggedOut, pause_s_max=self._pause_s_max)
        listener: Listener | None = None
        place: Place | None = None

        async def look() -> None:
            nonlocal listener, place
            client, _ = await self._connected()
            listener = listener or Listener(client, late_every_s=self._late_every_s)
            place = place or await self._kept_place(client) or await self._begin(listener, hear)
            place = await self._read_once(listener, hear, place)

        while True:
            if await patience.bears(look):
                self._caught_up.set()
                await asyncio.sleep(self._poll_s)

    async def _begin(self, listener: Listener, hear: Hear) -> Place:
        place = await listener.start()
        await hear([], Cursor(NETWORK, _written(place)))
        return place

    async def _read_once(self, listener: Listener, hear: Hear, place: Place) -> Place:
        events, now = await listener.read(place)
        if events or now != place:
            await hear(events, Cursor(NETWORK, _written(now)))
            listener.heard(events)
        return now

    async def _kept_place(self, client: Client) -> Place | None:
        """Where reading stopped, unless that was under another account."""
        kept = await self._cursors.load_cursor(NETWORK)
        if not kept:
            return None
        try:
            place = msgspec.json.decode(kept, type=Place)
        except msgspec.DecodeError:
            return None
        return place.in_present_names() if place.did == client.did else None


def _written(place: Place) -> str:
    return msgspec.json.encode(place).decode()
