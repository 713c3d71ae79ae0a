"""python-telegram-bot over aiohttp.

Its own transport spends most of its time on assigning connections when many calls are under way
(docs/benchmarks.md); the bot has an HTTP client that does not.
"""

from typing import Any

import aiohttp
import msgspec
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.adapters.telegram.posts import Posts

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class PreparedData(msgspec.Struct, frozen=True):
    """The JSON of a request that carries no files, as it is sent; passes for a `RequestData`."""

    body: bytes


class AiohttpRequest(BaseRequest):
    """Sends calls to the Bot API. `timeout_s`: how long one may take."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._posts: Posts | None = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's JSON. Raises `TelegramError` for anything else."""
        try:
            return _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Half characters, which people can write, are JSON to the library and not to this one.
            return BaseRequest.parse_json_payload(payload)

    @property
    def read_timeout(self) -> float:
        """How long an answer may take, in seconds."""
        return self._timeout_s

    async def initialize(self) -> None:
        """Open the pool of connections."""
        if self._session is None:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64), cookie_jar=aiohttp.DummyCookieJar()
            )
            self._session, self._posts = session, Posts(session)

    async def shutdown(self) -> None:
        """Close all connections."""
        session, self._session, self._posts = self._session, None, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: object = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - the library's port
        connect_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - same
        pool_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - same
    ) -> tuple[int, bytes]:
        """Send one request; gives the status and the body of the answer.

        Raises `TimedOut` or `NetworkError`, whose texts never hold the address: the bot's token
        is part of it.
        """
        if self._session is None or self._posts is None:
            raise NetworkError("The connection to Telegram is closed.")
        timeout_s = self._timeout_s
        if isinstance(read_timeout, int | float):
            timeout_s = read_timeout
        body: aiohttp.FormData | None = None
        try:
            if isinstance(request_data, PreparedData):
                return await self._posts.post(url, request_data.body, timeout_s)
            if isinstance(request_data, RequestData):
                if not request_data.contains_files:
                    prepared = msgspec.json.encode(request_data.parameters)
                    return await self._posts.post(url, prepared, timeout_s)
                body = _form(request_data)
            timeout = aiohttp.ClientTimeout(total=timeout_s)
            async with self._session.request(method, url, data=body, timeout=timeout) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TimedOut("Telegram did not answer in time.") from error
        except (aiohttp.ClientError, OSError) as error:
            # Not chained: the library logs chains, and some of these texts hold the address.
            raise NetworkError(f"Telegram was not reached ({type(error).__name__}).") from None


def _form(request_data: RequestData) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form
