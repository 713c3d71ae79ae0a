"""Calls of the Bot API, with the library's errors turned into the port's."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from telegram import Bot, InputFile
from telegram.error import TelegramError
from telegram.request import RequestData

from bot.adapters.base import AdapterError
from bot.adapters.telegram.faults import TokenRefused, fault
from bot.adapters.telegram.transport import AiohttpRequest, PreparedData

_CALL_TIMEOUT_S = 10.0


class _RawBot(Bot):
    """The library's bot, which also gives an answer as it came.

    Its own `do_api_request` does so too, but warns at every method that has a Python name.
    """

    async def raw(self, method: str, parameters: Mapping[str, Any], timeout_s: float | None) -> Any:  # noqa: ANN401 - what the server said
        given = {name: value for name, value in parameters.items() if value is not None}
        if any(isinstance(value, InputFile) for value in given.values()):
            return await self._post(method, given)
        # Everything else is JSON already; the library would look into each value and write it as
        # JSON of its own, which took longer than the request.
        more = {} if timeout_s is None else {"read_timeout": timeout_s}
        reading = method == "getUpdates"
        prepared = cast("RequestData", PreparedData(msgspec.json.encode(given)))
        return await self._request[0 if reading else 1].post(
            f"{self.base_url}/{method}", prepared, **more
        )


class BotApi:
    """One bot's connection. `api_url` is the server, without the token and a slash at its end."""

    def __init__(self, token: str, api_url: str) -> None:
        self._requests = (AiohttpRequest(_CALL_TIMEOUT_S), AiohttpRequest(_CALL_TIMEOUT_S))
        self._bot = _RawBot(
            token,
            base_url=f"{api_url}/bot",
            request=self._requests[1],
            get_updates_request=self._requests[0],
        )

    async def open(self) -> None:
        """Open the connections; harmless when they are open."""
        for request in self._requests:
            await request.initialize()

    async def close(self) -> None:
        """Close them."""
        for request in self._requests:
            await request.shutdown()

    async def call(
        self,
        method: str,
        *,
        timeout_s: float | None = None,
        **parameters: Any,
    ) -> Any:  # noqa: ANN401 - what the server said
        """Call a method, leaving out what is None. Raises the `AdapterError` that fits."""
        await self.open()
        try:
            return await self._bot.raw(method, parameters, timeout_s)
        except TelegramError as error:
            raise fault(error) from error

    async def knows(self, method: str, **parameters: Any) -> bool:
        """Whether the server knows a method at all; it is called with what it must refuse."""
        try:
            await self.call(method, **parameters)
        except TokenRefused:
            # 404 is what a server says about a method that it never heard of; the token is good.
            return False
        except AdapterError:
            return True
        return True
