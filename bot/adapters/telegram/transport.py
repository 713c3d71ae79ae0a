"""python-telegram-bot over aiohttp.

Its own transport spends most of its time on assigning connections when many calls are under way
(docs/benchmarks.md); the bot has an HTTP client that does not.
"""

import aiohttp
import msgspec
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

_JSON = {"Content-Type": "application/json"}


class AiohttpRequest(BaseRequest):
    """Sends calls to the Bot API. `timeout_s`: how long one may take."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """How long an answer may take, in seconds."""
        return self._timeout_s

    async def initialize(self) -> None:
        """Open the pool of connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))

    async def shutdown(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - the library's port
        connect_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - same
        pool_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - same
    ) -> tuple[int, bytes]:
        """Send one request; gives the status and the body of the answer.

        Raises `TimedOut` or `NetworkError`, whose texts never hold the address: the bot's token
        is part of it.
        """
        if self._session is None:
            raise NetworkError("The connection to Telegram is closed.")
        total_s = read_timeout if isinstance(read_timeout, int | float) else self._timeout_s
        body: aiohttp.FormData | bytes | None = None
        if request_data is not None and request_data.contains_files:
            body = _form(request_data)
        elif request_data is not None:
            body = msgspec.json.encode(request_data.parameters)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=_JSON if isinstance(body, bytes) else None,
                timeout=aiohttp.ClientTimeout(total=total_s),
            ) as answer:
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
