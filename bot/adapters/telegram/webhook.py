"""Reading by webhook, on the bot's own web server.

Telegram proves itself by a secret in a header and is told 200 only when the events stand in the
inbox. With anything else it comes again, and holds back what comes later in that chat.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import NoReturn

import structlog
from aiohttp import web

from bot.adapters.base import AdapterError, RateLimited
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.faults import TokenRefused
from bot.adapters.telegram.intake import Intake
from bot.adapters.telegram.wire import KINDS

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PATH = "/telegram/webhook"
_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_LOOK_EVERY_S = 60.0
_SOON_S = 0.5
_PAUSE_S_MAX = 30.0


class Webhook:
    """The route, and the agreement with Telegram about it.

    `url` is where Telegram reaches it. The secret is made from the bot's token, so that all
    processes of an instance know it and nothing has to be kept.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._secret = hmac.new(token.encode(), b"payontap webhook", hashlib.sha256).hexdigest()
        self._intake: Intake | None = None

    def add_routes(self, app: web.Application) -> None:
        """Put the address into the web server."""
        app.router.add_post(PATH, self._receive)

    async def _receive(self, request: web.Request) -> web.Response:
        shown = request.headers.get(_HEADER, "")
        if not hmac.compare_digest(shown.encode(), self._secret.encode()):
            raise web.HTTPForbidden(text="Only Telegram may call this address.")
        if self._intake is None:
            raise web.HTTPServiceUnavailable(text="The bot is starting. Come again.")
        try:
            await self._intake.one(await request.read())
        except Exception as error:
            log.warning(
                "telegram_update_not_heard", reason=f"{type(error).__name__}: {error}"[:300]
            )
            raise web.HTTPServiceUnavailable(text="Not kept. Come again.") from error
        return web.Response()

    async def listen(self, api: BotApi, intake: Intake, caught_up: Callable[[], None]) -> NoReturn:
        """Have Telegram deliver here until cancelled. Raises `TokenRefused`."""
        self._intake = intake
        pause_s = _SOON_S
        agreed = level = False
        try:
            while True:
                try:
                    if not agreed:
                        await self._agree(api)
                        agreed = True
                    info = await api.call("getWebhookInfo")
                except TokenRefused:
                    raise
                except AdapterError as error:
                    wait_s = error.retry_after_s if isinstance(error, RateLimited) else pause_s
                    log.warning("telegram_webhook_waits", wait_s=wait_s, reason=str(error))
                    await asyncio.sleep(wait_s)
                    pause_s = min(pause_s * 2, _PAUSE_S_MAX)
                    continue
                pause_s = _SOON_S
                # Somebody who polls takes the webhook away.
                agreed = info.get("url") == self._url
                if info.get("last_error_message"):
                    log.warning("telegram_webhook_fails", reason=info["last_error_message"])
                level = level or not info.get("pending_update_count")
                if level:
                    caught_up()
                await asyncio.sleep(_LOOK_EVERY_S if level and agreed else _SOON_S)
        finally:
            self._intake = None

    async def _agree(self, api: BotApi) -> None:
        await api.call(
            "setWebhook",
            url=self._url,
            secret_token=self._secret,
            allowed_updates=list(KINDS),
            max_connections=40,
        )
