"""The door to a homeserver: requests out, typed answers back, refusals as the port's errors.

Sending goes through matrix-nio, so that its encryption can be switched on in one place. Reading
is done on the raw answers: nio validates a whole sync at once and keeps state of its own, and an
odd event in one room would then cost the events of all rooms, again at every sync.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
import nio

from bot.adapters.base import AdapterError, NetworkDown, RateLimited
from bot.adapters.matrix.faults import ErrorBody, ServerFault, error_body, fault
from bot.adapters.matrix.session import Session
from bot.adapters.matrix.wire import (
    EventList,
    JoinedMembersAnswer,
    MembersAnswer,
    MessagesAnswer,
    RelationsAnswer,
    RoomAnswer,
    RoomEvent,
    SyncAnswer,
    WhoamiAnswer,
)

_Answer = TypeVar("_Answer")

_CLIENT_API = "/_matrix/client/v3"
_REQUEST_S = 20.0
_UPLOAD_S = 60.0
_FULL_STATE_S = 180.0
_SYNC_GRACE_S = 15.0
_READ_TRIES = 4
_READ_PAUSE_S = 0.25
_PAGE_EVENTS = 100

_TIMELINE_TYPES = [
    "m.room.message",
    "m.reaction",
    "m.room.redaction",
    "m.room.member",
    "m.room.encryption",
    "m.room.join_rules",
    "m.room.history_visibility",
]
_NOTHING: dict[str, Any] = {"types": []}
_SYNC_FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "account_data": _NOTHING,
        "ephemeral": _NOTHING,
        "state": {"types": _TIMELINE_TYPES[3:], "lazy_load_members": True},
        "timeline": {"types": _TIMELINE_TYPES, "limit": 50},
    },
}


def _path(*parts: str) -> str:
    return _CLIENT_API + "".join("/" + quote(part, safe="") for part in parts)


class Homeserver:
    """One account on one homeserver.

    Every method raises `NetworkDown` (no answer), `RateLimited`, `LoggedOut` (the token is
    dead), `Unreachable` (closed to the bot) or `SendRejected` (refused for what it is).
    """

    def __init__(self, base_url: str, login: str) -> None:
        self._client = nio.AsyncClient(
            base_url.rstrip("/"),
            login,
            config=nio.AsyncClientConfig(
                # Refusals and silence come back to us; nio would retry them for ever.
                max_limit_exceeded=0,
                max_timeouts=0,
                request_timeout=_REQUEST_S,
                encryption_enabled=False,
                store_sync_tokens=False,
            ),
        )
        self._closed = False

    @property
    def user_id(self) -> str:
        """The bot's own id; empty before `resume` or `log_in`."""
        return str(self._client.user_id)

    async def close(self) -> None:
        """Close the connections, for good."""
        # First, since nio would open a fresh connection for whoever comes after the end.
        self._closed = True
        await self._client.close()

    def resume(self, session: Session) -> None:
        """Go on with a login of before."""
        # Not nio's `restore_login`: with encryption installed it opens a store of its own at once.
        self._client.user_id = session.user_id
        self._client.device_id = session.device_id
        self._client.access_token = session.access_token

    async def log_in(
        self, password: str, device_name: str, device_id: str | None
    ) -> tuple[str, str, str]:
        """Log in as `device_id`, or as a new device; gives user id, device id and token."""
        self._client.access_token = ""
        self._client.device_id = device_id or ""
        async with self._answered(_REQUEST_S):
            said = _accepted(await self._client.login(password=password, device_name=device_name))
        return str(said.user_id), str(said.device_id), str(said.access_token)

    async def whoami(self) -> WhoamiAnswer:
        """Whose token the bot holds."""
        return await self._get(WhoamiAnswer, "account", "whoami")

    async def sync(self, since: str | None, *, full_state: bool, wait_s: float) -> SyncAnswer:
        """What happened after `since`; waits up to `wait_s` for something to happen."""
        query = {"filter": msgspec.json.encode(_SYNC_FILTER).decode()}
        if since is not None:
            query["since"] = since
        if full_state:
            query["full_state"] = "true"
            within_s = _FULL_STATE_S
        else:
            query["timeout"] = str(int(wait_s * 1000))
            within_s = wait_s + _SYNC_GRACE_S
        body = await self._request("GET", _path("sync"), query=query, within_s=within_s)
        return _decoded(body, SyncAnswer)

    async def older_messages(self, room_id: str, before: str, until: str | None) -> MessagesAnswer:
        """A page of the room's past, newest first, from the token `before` back to `until`."""
        query = {
            "dir": "b",
            "from": before,
            "limit": str(_PAGE_EVENTS),
            "filter": msgspec.json.encode({"types": _TIMELINE_TYPES}).decode(),
        }
        if until is not None:
            query["to"] = until
        return await self._get(MessagesAnswer, "rooms", room_id, "messages", query=query)

    async def event(self, room_id: str, event_id: str) -> RoomEvent:
        """One event of a room; a redacted one still names its type and sender."""
        return await self._get(RoomEvent, "rooms", room_id, "event", event_id)

    async def state(self, room_id: str) -> EventList:
        """All state of a room."""
        return EventList(await self._get(list[msgspec.Raw], "rooms", room_id, "state"))

    async def joined_members(self, room_id: str) -> frozenset[str]:
        """Who is in a room."""
        said = await self._get(JoinedMembersAnswer, "rooms", room_id, "joined_members")
        return frozenset(said.joined)

    async def invited_members(self, room_id: str) -> frozenset[str]:
        """Who is invited to a room and has not come yet."""
        query = {"membership": "invite"}
        said = await self._get(MembersAnswer, "rooms", room_id, "members", query=query)
        events = (_decoded(raw, RoomEvent) for raw in said.chunk)
        return frozenset(event.state_key for event in events if event.state_key)

    async def reactions(self, room_id: str, event_id: str, page: str | None) -> RelationsAnswer:
        """A page of the reactions to an event."""
        path = "/_matrix/client/v1/rooms/{}/relations/{}/m.annotation/m.reaction".format(
            quote(room_id, safe=""), quote(event_id, safe="")
        )
        query = {"limit": str(_PAGE_EVENTS)} | ({"from": page} if page else {})
        return _decoded(await self._patiently(path, query), RelationsAnswer)

    async def account_data(self, kind: str) -> dict[str, Any]:
        """The account's own notes of one kind. Raises `Unreachable` when there are none."""
        return await self._get(dict[str, Any], "user", self.user_id, "account_data", kind)

    async def put_account_data(self, kind: str, content: Mapping[str, Any]) -> None:
        """Replace the account's own notes of one kind."""
        path = _path("user", self.user_id, "account_data", kind)
        await self._request("PUT", path, body=content)

    async def join(self, room_id: str) -> None:
        """Go into a room that the bot is invited to."""
        await self._request("POST", _path("join", room_id), body={})

    async def leave(self, room_id: str) -> None:
        """Go out of a room."""
        await self._request("POST", _path("rooms", room_id, "leave"), body={})

    async def invite(self, room_id: str, person_id: str) -> None:
        """Invite a person into a room that the bot is in."""
        await self._request("POST", _path("rooms", room_id, "invite"), body={"user_id": person_id})

    async def create_direct_room(self, person_id: str) -> str:
        """Make a room for the bot and one person, who is invited; gives its id."""
        # With this preset the person cannot switch on encryption that the bot could not read.
        wish = {"preset": "private_chat", "is_direct": True, "invite": [person_id]}
        body = await self._request("POST", _path("createRoom"), body=wish)
        return _decoded(body, RoomAnswer).room_id

    async def send(
        self, room_id: str, kind: str, content: Mapping[str, Any], transaction_id: str
    ) -> str:
        """Send an event; the same `transaction_id` again gives the same event id."""
        async with self._answered(_REQUEST_S):
            said = _accepted(
                await self._client.room_send(room_id, kind, dict(content), tx_id=transaction_id)
            )
        return str(said.event_id)

    async def redact(self, room_id: str, event_id: str, transaction_id: str) -> None:
        """Take an event back."""
        async with self._answered(_REQUEST_S):
            _accepted(await self._client.room_redact(room_id, event_id, tx_id=transaction_id))

    async def upload(self, mime: str, body: bytes) -> str:
        """Put a picture into the media repository; gives its `mxc:` address."""
        async with self._answered(_UPLOAD_S):
            said, _ = await self._client.upload(
                lambda *_: body, content_type=mime, filesize=len(body)
            )
        return str(_accepted(said).content_uri)

    @asynccontextmanager
    async def _answered(self, within_s: float) -> AsyncIterator[None]:
        """Turn silence and broken connections into `NetworkDown`."""
        if self._closed:
            raise NetworkDown("The connection to the homeserver was closed.")
        try:
            async with asyncio.timeout(within_s):
                yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = f"{type(error).__name__} {error}".strip()
            raise NetworkDown(f"The homeserver did not answer: {what}.") from error

    async def _get(
        self, kind: type[_Answer], *parts: str, query: Mapping[str, str] | None = None
    ) -> _Answer:
        return _decoded(await self._patiently(_path(*parts), query or {}), kind)

    async def _patiently(self, path: str, query: Mapping[str, str]) -> bytes:
        """Read, with a few tries where the server asks for time or fails."""
        for tried in range(1, _READ_TRIES):
            try:
                return await self._request("GET", path, query=query)
            except RateLimited as error:
                pause_s = error.retry_after_s
            except ServerFault:
                pause_s = _READ_PAUSE_S * tried
            await asyncio.sleep(pause_s)
        return await self._request("GET", path, query=query)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        within_s: float = _REQUEST_S,
    ) -> bytes:
        if query:
            path += "?" + urlencode(query)
        async with self._answered(within_s):
            answer = await self._client.send(
                method,
                path,
                data=None if body is None else msgspec.json.encode(body),
                headers={
                    "Authorization": f"Bearer {self._client.access_token}",
                    "Content-Type": "application/json",
                },
                timeout=aiohttp.ClientTimeout(total=within_s),
            )
            async with answer:
                said: bytes = await answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise fault(answer.status, error_body(said))
        return said


def _decoded(body: bytes | msgspec.Raw, kind: type[_Answer]) -> _Answer:
    """The answer as `kind`. Raises `ServerFault` when it is no answer of a homeserver."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ServerFault(f"The homeserver's answer makes no sense: {error}.") from error


def _accepted(said: Any) -> Any:  # noqa: ANN401 - nio ships no types
    """A response of nio, if it is no error. Raises the error that it stands for."""
    if not isinstance(said, nio.ErrorResponse):
        return said
    raise _nio_fault(said)


def _nio_fault(said: Any) -> AdapterError:  # noqa: ANN401 - nio ships no types
    status = getattr(said.transport_response, "status", 0)
    body = ErrorBody(
        errcode=said.status_code if isinstance(said.status_code, str) else "",
        error=str(said.message),
        retry_after_ms=said.retry_after_ms,
    )
    return fault(int(status), body)
