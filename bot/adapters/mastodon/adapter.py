"""The Mastodon API as the port sees it: read until cancelled, send."""

import asyncio
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
from bot.adapters.mastodon.accounts import Accounts, actor_of
from bot.adapters.mastodon.client import Client
from bot.adapters.mastodon.faults import LoggedOut
from bot.adapters.mastodon.listening import NETWORK, Listener, Place
from bot.adapters.mastodon.profile import introduce
from bot.adapters.mastodon.speaking import Speaker
from bot.adapters.mastodon.streaming import Bell
from bot.adapters.patience import Patience
from bot.cards import Outgoing

_CAPABILITIES = Capabilities(
    buttons=False,
    reactions=False,
    # An edit is told to everybody who shared the post, and gives it another id on some servers.
    edits=Edits.NONE,
    private_in_room=False,
    pictures=True,
    reply_words=True,
    pay_links=True,
    # Mastodon's 500, less a mention and a pay link.
    text_length_max=350,
    command_prefixes=("/", "!"),
)


class Mastodon:
    """One account on a server that speaks the Mastodon API.

    A room is the account, by the server's id, with which the bot talks; a person is an actor's
    URI. `operator` is whom the profile names as answering for the bot. `poll_s` is how often the
    server is asked where it does not stream; `pause_s_max` bounds the pauses in an outage.
    """

    network = NETWORK
    capabilities = _CAPABILITIES

    def __init__(
        self,
        server: str,
        access_token: str,
        *,
        cursors: CursorStore,
        pictures: PictureSource,
        operator: str | None = None,
        poll_s: float = 10.0,
        pause_s_max: float = 60.0,
    ) -> None:
        self._server = server
        self._access_token = access_token
        self._cursors = cursors
        self._pictures = pictures
        self._operator = operator
        self._poll_s = poll_s
        self._pause_s_max = pause_s_max
        self._client: Client | None = None
        self._accounts: Accounts | None = None
        self._speaker: Speaker | None = None
        self._bell: Bell | None = None
        self._connecting = asyncio.Lock()
        self._caught_up = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        """Read until cancelled.

        Outages are waited out. Raises `AdapterError` when the server no longer takes the token.
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
        """Post a card; gives the post's id.

        Raises the `AdapterError` that fits. A dead token is a `NetworkDown`: the card stays
        sendable, and `run` tells what is wrong.
        """
        try:
            _, _, speaker = await self._connected()
            return await speaker.send(outgoing)
        except LoggedOut as error:
            raise NetworkDown(str(error)) from error

    async def close(self) -> None:
        """Let go of the server; `run` does it at its end. A later `send` connects again."""
        async with self._connecting:
            client, self._client = self._client, None
            if client is not None:
                client.close()

    async def _connected(self) -> tuple[Client, Accounts, Speaker]:
        async with self._connecting:
            if self._client is None or self._accounts is None or self._speaker is None:
                client = Client(self._server, self._access_token)
                try:
                    me = await client.me()
                except BaseException:
                    client.close()
                    raise
                self._client = client
                self._accounts = Accounts(client, me)
                self._speaker = Speaker(client, self._accounts, self._pictures)
            return self._client, self._accounts, self._speaker

    async def _read(self, hear: Hear) -> NoReturn:
        patience = Patience(NETWORK, LoggedOut, pause_s_max=self._pause_s_max)
        place: Place | None = None
        bell: Bell | None = None

        async def look() -> None:
            nonlocal place, bell
            client, accounts, _ = await self._connected()
            if bell is None:
                await introduce(client, accounts.me, self._operator)
                bell = self._bell = Bell(client, self._poll_s)
            place = await self._read_once(Listener(client, accounts), hear, place)

        try:
            while True:
                if await patience.bears(look) and bell is not None:
                    self._caught_up.set()
                    await bell.wait()
        finally:
            self._bell = None
            if bell is not None:
                bell.close()

    async def _read_once(self, listener: Listener, hear: Hear, place: Place | None) -> Place:
        known = place or await self._kept_place()
        if known is None:
            known = await listener.start()
            await hear([], Cursor(NETWORK, _written(known)))
        events, now = await listener.read(known)
        if events or now != known:
            await hear(events, Cursor(NETWORK, _written(now)))
        return now

    async def _kept_place(self) -> Place | None:
        """Where reading stopped, unless that was under another account."""
        kept = await self._cursors.load_cursor(NETWORK)
        if not kept or self._accounts is None:
            return None
        try:
            place = msgspec.json.decode(kept, type=Place)
        except msgspec.DecodeError:
            return None
        return place if place.account == actor_of(self._accounts.me) else None


def _written(place: Place) -> str:
    return msgspec.json.encode(place).decode()
