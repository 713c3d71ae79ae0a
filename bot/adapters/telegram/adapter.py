"""The Telegram network as the port sees it: connect, read until cancelled, send."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from aiohttp import web

from bot.adapters.base import (
    AdapterError,
    Capabilities,
    Edits,
    Hear,
    NetworkDown,
    PictureSource,
    RateLimited,
)
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.delivery import Delivery
from bot.adapters.telegram.faults import AnotherReader, TokenRefused, TooLate, Unchanged
from bot.adapters.telegram.intake import Intake
from bot.adapters.telegram.limiter import Limiter, Limits
from bot.adapters.telegram.photos import Photos
from bot.adapters.telegram.polling import poll
from bot.adapters.telegram.reading import NETWORK
from bot.adapters.telegram.rendering import TEXT_UNITS_MAX
from bot.adapters.telegram.speaking import Speaker
from bot.adapters.telegram.webhook import PATH, Webhook
from bot.adapters.telegram.wire import Me
from bot.cards import Feature, Outgoing

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OFFICIAL_URL = "https://api.telegram.org"
_PAUSE_S_MIN = 0.5
_PAUSE_S_MAX = 30.0
_COMMANDS_MAX = 100


class Telegram:
    """One bot account.

    `webhook_origin`: the https address of the web server, where updates are to be delivered;
    without it the bot polls.
    `invoices`: whether Telegram may collect money for the bot; `provider_token` is that of its
    payment provider. `commands`: name and help of what people can write, for Telegram's menu.
    """

    network = NETWORK

    def __init__(
        self,
        token: str,
        *,
        pictures: PictureSource,
        api_url: str = OFFICIAL_URL,
        webhook_origin: str | None = None,
        invoices: bool = False,
        provider_token: str = "",
        private_in_groups: bool = True,
        messages_per_s: int = 30,
        commands: Sequence[tuple[str, str]] = (),
    ) -> None:
        features = {Feature.SHARED_UNDO} | ({Feature.INVOICES} if invoices else set())
        self.capabilities = Capabilities(
            buttons=True,
            reactions=False,
            edits=Edits.LIVE,
            private_in_room=True,
            pictures=True,
            text_length_max=TEXT_UNITS_MAX,
            features=frozenset(features),
        )
        self._api = BotApi(token, api_url)
        limiter = Limiter(Limits(overall=(messages_per_s, 1.0)))
        speaker = Speaker(self._api, limiter, Photos(pictures))
        self._delivery = Delivery(self._api, limiter, speaker, provider_token=provider_token)
        self._webhook = Webhook(f"{webhook_origin}{PATH}", token) if webhook_origin else None
        self._private_in_groups = private_in_groups
        self._commands = commands
        self._me: Me | None = None
        self._connecting = asyncio.Lock()
        self._caught_up = asyncio.Event()

    def add_routes(self, app: web.Application) -> None:
        """Put the webhook's address into the web server, where there is a webhook."""
        if self._webhook is not None:
            self._webhook.add_routes(app)

    async def run(self, hear: Hear) -> None:
        """Read the chats until cancelled.

        Outages are waited out. Raises `AdapterError` when Telegram does not know the token.
        """
        self._caught_up.clear()
        try:
            me = await self._patiently_connected()
            intake = Intake(self._api, me, hear, self._delivery.taps, self._delivery.nameless)
            try:
                if self._webhook is not None:
                    await self._webhook.listen(self._api, intake, self._caught_up.set)
                else:
                    await self._drop_webhook()
                    await poll(self._api, intake, self._caught_up.set)
            finally:
                await intake.close()
        finally:
            await self.close()

    async def caught_up(self) -> None:
        """Return once everything that happened while the bot was away has been heard."""
        await self._caught_up.wait()

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card, or replace one; gives the message's name.

        Raises the `AdapterError` that fits. A token that is refused is a `NetworkDown`: the card
        stays sendable, and `run` tells what is wrong.
        """
        try:
            await self._connected()
            return await self._delivery.deliver(outgoing)
        except Unchanged:
            return outgoing.edits_ref or ""
        except TokenRefused as error:
            raise NetworkDown(str(error)) from error
        except (AnotherReader, TooLate) as error:
            raise NetworkDown(str(error)) from error

    async def close(self) -> None:
        """Close the connections; `run` does it at its end. A later `send` opens them again."""
        await self._delivery.taps.close()
        async with self._connecting:
            self._me = None
            await self._api.close()

    async def _connected(self) -> Me:
        """The bot's account, asked for once. Raises `AdapterError` when that cannot be."""
        if self._me is not None:
            return self._me
        async with self._connecting:
            if self._me is None:
                me = msgspec.convert(await self._api.call("getMe"), Me)
                self._delivery.username = me.username
                self._delivery.private_in_groups = (
                    self._private_in_groups and await self._server_keeps_private(me)
                )
                self._me = me
            return self._me

    async def _server_keeps_private(self, me: Me) -> bool:
        """Whether the server knows messages that one person alone sees in a group.

        An older one would skip the parameter that it does not know and show them to everybody.
        """
        return await self._api.knows(
            "deleteEphemeralMessage", chat_id=me.id, receiver_user_id=me.id, ephemeral_message_id=1
        )

    async def _patiently_connected(self) -> Me:
        pause_s = _PAUSE_S_MIN
        while True:
            try:
                me = await self._connected()
                await self._list_commands()
            except TokenRefused:
                raise
            except AdapterError as error:
                wait_s = error.retry_after_s if isinstance(error, RateLimited) else pause_s
                log.warning("telegram_connection_waits", wait_s=wait_s, reason=str(error))
                await asyncio.sleep(wait_s)
                pause_s = min(pause_s * 2, _PAUSE_S_MAX)
            else:
                return me

    async def _list_commands(self) -> None:
        if not self._commands:
            return
        listed = [
            {"command": name, "description": words[:256]}
            for name, words in self._commands[:_COMMANDS_MAX]
        ]
        await self._api.call("setMyCommands", commands=listed)

    async def _drop_webhook(self) -> None:
        """Polling and a webhook exclude each other; what waits is kept."""
        try:
            await self._api.call("deleteWebhook", drop_pending_updates=False)
        except TokenRefused:
            raise
        except AdapterError as error:
            # Polling is refused then with a reason, and says so.
            log.warning("telegram_webhook_not_dropped", reason=str(error))
