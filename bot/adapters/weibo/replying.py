"""Answers that come later than the push: `messages/reply.json`, for 48 hours after a message."""

from http import HTTPStatus

import aiohttp
import msgspec

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, SendRejected, Unreachable
from bot.adapters.weibo.articles import Words

_REPLY_PATH = "/2/messages/reply.json"
_REQUEST_S = 10.0
_RATE_LIMITS = frozenset({10022, 10023, 10024})
_BAD_TOKENS = frozenset({21301, 21314, 21315, 21316, 21317, 21327, 21332})
_BUSY = frozenset({10001, 10002, 10009, 10010, 10011})
#: Weibo counts requests by the hour.
_WAIT_S = 900.0


class LoggedOut(AdapterError):
    """Weibo no longer takes the access token. Waiting does not mend it."""


class _Said(msgspec.Struct, frozen=True):
    """An answer: a result, or an error with its number."""

    result: bool = False
    error: str = ""
    error_code: int = 0


class Replying:
    """Sends with the account's access token. Raises the `AdapterError` that fits."""

    def __init__(self, service: str, access_token: str) -> None:
        self._url = service + _REPLY_PATH
        self._access_token = access_token
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections; a later `send` opens them again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, receiver_id: str, words: Words) -> None:
        """Send a message to somebody who wrote within the last 48 hours."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        form = {
            "access_token": self._access_token,
            "type": words.type,
            "data": words.json,
            "receiver_id": receiver_id,
        }
        try:
            async with self._session.post(self._url, data=form) as response:
                body, status = await response.read(), response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NetworkDown(f"Weibo did not answer: {type(error).__name__} {error}.") from error
        _check(status, body)


def _check(status: int, body: bytes) -> None:
    try:
        said = msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError as error:
        raise NetworkDown(f"Weibo answered {status} and no JSON.") from error
    if status == HTTPStatus.OK and said.result and not said.error_code:
        return
    sentence = f"Weibo answered {status} {said.error_code} {said.error}".rstrip() + "."
    if said.error_code in _RATE_LIMITS or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(_WAIT_S)
    if said.error_code in _BAD_TOKENS:
        raise LoggedOut(f"{sentence} Make a new access token and configure it.")
    if said.error_code in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NetworkDown(sentence)
    if status == HTTPStatus.FORBIDDEN:
        raise Unreachable(sentence)
    raise SendRejected(sentence)
