"""The door to a homeserver: one connection, requests out, refusals as the port's errors.

Reading is done on the raw answers: nio validates a whole sync at once and keeps state of its own,
and an odd event in one room would then cost the events of all rooms, again at every sync. nio does
what it is good at, which is logging in, uploading, and encryption.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
import nio

from bot.adapters.base import NetworkDown, RateLimited
from bot.adapters.matrix.encryption import Encryption, encrypted_config
from bot.adapters.matrix.faults import ServerFault, accepted, error_body, fault
from bot.adapters.matrix.session import Session

_Answer = TypeVar("_Answer")

_CLIENT_API = "/_matrix/client/v3"
REQUEST_S = 20.0
#: How long it may take to hand a new key to all devices of a room.
KEYS_S = 60.0
_READ_TRIES = 4
_READ_PAUSE_S = 0.25


def path_of(*parts: str) -> str:
    """The path of a request of the client-server API, its parts escaped."""
    return _CLIENT_API + "".join("/" + quote(part, safe="") for part in parts)


class Door:
    """One account's way to its homeserver.

    Every method raises `NetworkDown` (no answer), `RateLimited`, `LoggedOut` (the token is
    dead), `Unreachable` (closed to the bot) or `SendRejected` (refused for what it is).
    """

    def __init__(self, base_url: str, login: str, *, key_store: Path | None = None) -> None:
        """`key_store` is a folder; with it the account encrypts, or `LoggedOut` says why not."""
        common: dict[str, Any] = {
            # Refusals and silence come back to us; nio would retry them for ever.
            "max_limit_exceeded": 0,
            "max_timeouts": 0,
            "request_timeout": REQUEST_S,
            "store_sync_tokens": False,
        }
        config = (
            nio.AsyncClientConfig(encryption_enabled=False, **common)
            if key_store is None
            else encrypted_config(**common)
        )
        self.client = nio.AsyncClient(base_url.rstrip("/"), login, config=config)
        #: What opens and closes encrypted messages; None where the account does not encrypt.
        self.encryption = None if key_store is None else Encryption(self.client, key_store)
        self._closed = False

    @property
    def user_id(self) -> str:
        """The bot's own id; empty before `resume` or `log_in`."""
        return str(self.client.user_id)

    @property
    def device_id(self) -> str:
        """The device that the token belongs to; empty where it belongs to none."""
        return str(self.client.device_id or "")

    async def close(self) -> None:
        """Close the connections, for good."""
        # First, since nio would open a fresh connection for whoever comes after the end.
        self._closed = True
        await self.client.close()

    def resume(self, session: Session) -> None:
        """Go on with a login of before."""
        # Not nio's `restore_login`: with encryption installed it opens a store of its own at once.
        self.client.user_id = session.user_id
        self.client.device_id = session.device_id
        self.client.access_token = session.access_token

    async def open_keys(self) -> None:
        """Load the device's keys, where the account encrypts.

        Raises `LoggedOut` when the access token belongs to no device.
        """
        if self.encryption is not None:
            async with self.answered(KEYS_S):
                await self.encryption.open_store()

    async def log_in(
        self, password: str, device_name: str, device_id: str | None
    ) -> tuple[str, str, str]:
        """Log in as `device_id`, or as a new device; gives user id, device id and token."""
        self.client.access_token = ""
        self.client.device_id = device_id or ""
        async with self.answered(REQUEST_S):
            said = accepted(await self.client.login(password=password, device_name=device_name))
        return str(said.user_id), str(said.device_id), str(said.access_token)

    @asynccontextmanager
    async def answered(self, within_s: float) -> AsyncIterator[None]:
        """Turn silence and broken connections into `NetworkDown`."""
        if self._closed:
            raise NetworkDown("The connection to the homeserver was closed.")
        try:
            async with asyncio.timeout(within_s):
                yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = f"{type(error).__name__} {error}".strip()
            raise NetworkDown(f"The homeserver did not answer: {what}.") from error

    async def get(
        self, kind: type[_Answer], *parts: str, query: Mapping[str, str] | None = None
    ) -> _Answer:
        """Read something, with a few tries, as `kind`."""
        return decoded(await self.patiently(path_of(*parts), query or {}), kind)

    async def patiently(self, path: str, query: Mapping[str, str]) -> bytes:
        """Read, with a few tries where the server asks for time or fails."""
        for tried in range(1, _READ_TRIES):
            try:
                return await self.request("GET", path, query=query)
            except RateLimited as error:
                pause_s = error.retry_after_s
            except ServerFault:
                pause_s = _READ_PAUSE_S * tried
            await asyncio.sleep(pause_s)
        return await self.request("GET", path, query=query)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        within_s: float = REQUEST_S,
    ) -> bytes:
        """One request; gives the body of a good answer."""
        if query:
            path += "?" + urlencode(query)
        async with self.answered(within_s):
            answer = await self.client.send(
                method,
                path,
                data=None if body is None else msgspec.json.encode(body),
                headers={
                    "Authorization": f"Bearer {self.client.access_token}",
                    "Content-Type": "application/json",
                },
                timeout=aiohttp.ClientTimeout(total=within_s),
            )
            async with answer:
                said: bytes = await answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise fault(answer.status, error_body(said))
        return said


def decoded(body: bytes | msgspec.Raw, kind: type[_Answer]) -> _Answer:
    """The answer as `kind`. Raises `ServerFault` when it is no answer of a homeserver."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ServerFault(f"The homeserver's answer makes no sense: {error}.") from error
