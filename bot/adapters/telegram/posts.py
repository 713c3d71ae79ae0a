"""POST requests of one piece to one server, over the connections of an aiohttp session.

The session's own `request` prepares for each call what a browser may meet: cookies, redirects,
proxies, credentials, bodies that come in pieces. A call of the Bot API meets none of it, and all
that took longer than the call. Here the request's head is made once for each address, by the
library itself; connections, TLS and the parsing of answers are the library's too.
"""

import asyncio

import aiohttp
import msgspec
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

_JSON = {"Content-Type": "application/json"}
#: The library adds it for a body that it does not know yet.
_LENGTH = "Content-Length"
_FIRST_FINAL_STATUS = 200
_NO_OTHER_LIMIT = aiohttp.ClientTimeout()


class _Prepared(msgspec.Struct, frozen=True, eq=False):
    """What leads to a connection, and the head of each request but for its length."""

    request: ClientRequest
    head: bytes


class Posts:
    """Sends JSON; `session` keeps the connections, and closes them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._prepared: dict[str, _Prepared] = {}

    async def post(self, url: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        """The status and the body of the answer.

        Raises `TimeoutError`, `aiohttp.ClientError` or `OSError`. What fails is not sent again.
        """
        prepared = self._prepared.get(url)
        if prepared is None:
            # A method each; there are some dozens of them.
            prepared = self._prepared[url] = _prepared(url, self._session)
        async with asyncio.timeout(timeout_s):
            connector = self._session.connector
            if connector is None:
                raise aiohttp.ClientConnectionError("The session is closed.")
            connection = await connector.connect(
                prepared.request, traces=[], timeout=_NO_OTHER_LIMIT
            )
            try:
                answer = await _exchanged(connection, prepared.head, body)
            except BaseException:
                # Whatever still comes on it would be taken for the next one's answer.
                connection.close()
                raise
            connection.release()
            return answer


async def _exchanged(
    connection: aiohttp.connector.Connection, head: bytes, body: bytes
) -> tuple[int, bytes]:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True)
    transport.write(b"%s%d\r\n\r\n%s" % (head, len(body), body))
    try:
        message, payload = await protocol.read()
        while message.code < _FIRST_FINAL_STATUS:
            message, payload = await protocol.read()
    except HttpProcessingError as error:
        raise aiohttp.ClientPayloadError(f"The answer is no HTTP: {error.message}") from error
    answer = await payload.read()
    if message.should_close:
        protocol.force_close()
    return message.code, answer


def _prepared(url: str, session: aiohttp.ClientSession) -> _Prepared:
    address = URL(url)
    loop = asyncio.get_running_loop()
    request = ClientRequest("POST", address, headers=_JSON, loop=loop, session=session)
    lines = [f"POST {address.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name != _LENGTH]
    return _Prepared(request, "\r\n".join([*lines, f"{_LENGTH}: "]).encode())
