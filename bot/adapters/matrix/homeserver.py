"""What the bot asks of a homeserver, one method a question, with typed answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from bot.adapters.base import Unreachable
from bot.adapters.matrix.door import KEYS_S, REQUEST_S, Door, decoded, path_of
from bot.adapters.matrix.encryption import ENCRYPTED, Unopened
from bot.adapters.matrix.faults import AuthWanted, accepted
from bot.adapters.matrix.wire import (
    ContextAnswer,
    EventList,
    JoinedMembersAnswer,
    KeysAnswer,
    MembersAnswer,
    MessagesAnswer,
    RelationsAnswer,
    RoomAnswer,
    RoomEvent,
    SentAnswer,
    SyncAnswer,
    WhoamiAnswer,
    decoded_events,
)

_UPLOAD_S = 60.0
_FULL_STATE_S = 180.0
_SYNC_GRACE_S = 15.0
_PAGE_EVENTS = 100

_STATE_TYPES = [
    "m.room.member",
    "m.room.tombstone",
    "m.room.encryption",
    "m.room.join_rules",
    "m.room.history_visibility",
]
_TIMELINE_TYPES = [
    "m.room.message",
    "m.reaction",
    "m.room.redaction",
    ENCRYPTED,
    *_STATE_TYPES,
]
_NOTHING: dict[str, Any] = {"types": []}
_SYNC_FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "account_data": _NOTHING,
        "ephemeral": _NOTHING,
        "state": {"types": _STATE_TYPES, "lazy_load_members": True},
        "timeline": {"types": _TIMELINE_TYPES, "limit": 50},
    },
}


class Homeserver(Door):
    """One account on one homeserver.

    Every method raises `NetworkDown` (no answer), `RateLimited`, `LoggedOut` (the token is
    dead), `Unreachable` (closed to the bot) or `SendRejected` (refused for what it is).
    """

    async def whoami(self) -> WhoamiAnswer:
        """Whose token the bot holds."""
        return await self.get(WhoamiAnswer, "account", "whoami")

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
        body = await self.request("GET", path_of("sync"), query=query, within_s=within_s)
        return decoded(body, SyncAnswer)

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
        return await self.get(MessagesAnswer, "rooms", room_id, "messages", query=query)

    async def event(self, room_id: str, event_id: str) -> RoomEvent:
        """One event of a room; a redacted one still names its type and sender."""
        return await self.get(RoomEvent, "rooms", room_id, "event", event_id)

    async def state(self, room_id: str) -> EventList:
        """All state of a room."""
        return EventList(await self.get(list[msgspec.Raw], "rooms", room_id, "state"))

    async def state_event(self, room_id: str, event_type: str) -> RoomEvent:
        """The room's one state event of a type. Raises `Unreachable` where it has none."""
        query = {"format": "event"}
        return await self.get(RoomEvent, "rooms", room_id, "state", event_type, "", query=query)

    async def events_after(self, room_id: str, event_id: str, limit: int) -> list[msgspec.Raw]:
        """About half of `limit` events that came next after an event."""
        query = {"limit": str(limit)}
        said = await self.get(ContextAnswer, "rooms", room_id, "context", event_id, query=query)
        return said.events_after

    async def joined_members(self, room_id: str) -> frozenset[str]:
        """Who is in a room."""
        said = await self.get(JoinedMembersAnswer, "rooms", room_id, "joined_members")
        return frozenset(said.joined)

    async def invited_members(self, room_id: str) -> frozenset[str]:
        """Who is invited to a room and has not come yet."""
        query = {"membership": "invite"}
        said = await self.get(MembersAnswer, "rooms", room_id, "members", query=query)
        events = (decoded(raw, RoomEvent) for raw in said.chunk)
        return frozenset(event.state_key for event in events if event.state_key)

    async def related(self, room_id: str, event_id: str, relation: str) -> list[RoomEvent]:
        """The events that relate to one in this way (`m.annotation`), the newest first."""
        path = "/_matrix/client/v1/rooms/{}/relations/{}/{}".format(
            *(quote(part, safe="") for part in (room_id, event_id, relation))
        )
        found: list[RoomEvent] = []
        page: str | None = None
        while True:
            query = {"limit": str(_PAGE_EVENTS)} | ({"from": page} if page else {})
            answer = decoded(await self.patiently(path, query), RelationsAnswer)
            found += decoded_events(answer.chunk)
            if answer.next_batch is None or answer.next_batch == page:
                return found
            page = answer.next_batch

    async def device_keys(self, user_id: str) -> KeysAnswer:
        """The public keys of an account and its devices."""
        body = await self.request(
            "POST", path_of("keys", "query"), body={"device_keys": {user_id: []}}
        )
        return decoded(body, KeysAnswer)

    async def upload_signing_keys(self, keys: Mapping[str, Any], password: str | None) -> None:
        """Give the account its cross-signing keys.

        A homeserver that asks for the password is given it. Raises `AuthWanted` without one.
        """
        path = path_of("keys", "device_signing", "upload")
        try:
            await self.request("POST", path, body=keys)
        except AuthWanted as wanted:
            if password is None:
                raise
            auth = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self.user_id},
                "password": password,
                "session": wanted.session,
            }
            await self.request("POST", path, body={**keys, "auth": auth})

    async def upload_signatures(self, device_id: str, signed: Mapping[str, Any]) -> None:
        """Put a signature beside the keys of one of the account's devices."""
        path = path_of("keys", "signatures", "upload")
        await self.request("POST", path, body={self.user_id: {device_id: signed}})

    async def account_data(self, kind: str) -> dict[str, Any]:
        """The account's own notes of one kind. Raises `Unreachable` when there are none."""
        return await self.get(dict[str, Any], "user", self.user_id, "account_data", kind)

    async def put_account_data(self, kind: str, content: Mapping[str, Any]) -> None:
        """Replace the account's own notes of one kind."""
        path = path_of("user", self.user_id, "account_data", kind)
        await self.request("PUT", path, body=content)

    async def join(self, room_id: str, via: str | None = None) -> None:
        """Go into a room that lets the bot in; `via` is a homeserver that knows it."""
        query = {"via": via, "server_name": via} if via else None
        await self.request("POST", path_of("join", room_id), query=query, body={})

    async def leave(self, room_id: str, reason: str = "") -> None:
        """Go out of a room; the reason stands beside it for all to read."""
        body = {"reason": reason} if reason else {}
        await self.request("POST", path_of("rooms", room_id, "leave"), body=body)

    async def invite(self, room_id: str, person_id: str) -> None:
        """Invite a person into a room that the bot is in."""
        await self.request("POST", path_of("rooms", room_id, "invite"), body={"user_id": person_id})

    async def create_direct_room(self, person_id: str, *, encrypted: bool) -> str:
        """Make a room for the bot and one person, who is invited; gives its id."""
        # With this preset the person cannot switch on encryption that the bot could not read.
        wish: dict[str, Any] = {
            "preset": "private_chat",
            "is_direct": True,
            "invite": [person_id],
        }
        if encrypted:
            content = {"algorithm": "m.megolm.v1.aes-sha2"}
            wish["initial_state"] = [
                {"type": "m.room.encryption", "state_key": "", "content": content}
            ]
        body = await self.request("POST", path_of("createRoom"), body=wish)
        return decoded(body, RoomAnswer).room_id

    async def send(
        self,
        room_id: str,
        kind: str,
        content: Mapping[str, Any],
        transaction_id: str,
        *,
        encrypted: bool = False,
    ) -> str:
        """Send an event; the same `transaction_id` again gives the same event id.

        Raises `Unreachable` where it is to be encrypted and the account does not encrypt.
        """
        if encrypted:
            kind, content = await self._closed_up(room_id, kind, content)
        path = path_of("rooms", room_id, "send", kind, transaction_id)
        return decoded(await self.request("PUT", path, body=content), SentAnswer).event_id

    async def _closed_up(
        self, room_id: str, kind: str, content: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        if self.encryption is None:
            raise Unreachable(
                f"Room {room_id} is encrypted, and the bot would have to answer in clear text."
            )
        async with self.answered(KEYS_S):
            return await self.encryption.closed(
                room_id, kind, content, lambda: self.members(room_id)
            )

    async def members(self, room_id: str) -> frozenset[str]:
        """Who is in a room or invited to it."""
        # In this order: who comes in between the two questions is in both answers, not in none.
        invited = await self.invited_members(room_id)
        return invited | await self.joined_members(room_id)

    async def opened(self, room_id: str, event: RoomEvent) -> RoomEvent:
        """What an encrypted event holds; any other event itself.

        Raises `Unopened` where its key is not there (yet), `Forged` where it cannot be what it
        seems.
        """
        if event.type != ENCRYPTED or event.redacted:
            return event
        if self.encryption is None:
            raise Unopened("The account does not encrypt.")
        async with self.answered(KEYS_S):
            return await self.encryption.opened(room_id, event, self.device_keys)

    async def redact(self, room_id: str, event_id: str, transaction_id: str) -> None:
        """Take an event back."""
        async with self.answered(REQUEST_S):
            accepted(await self.client.room_redact(room_id, event_id, tx_id=transaction_id))

    async def upload(
        self, mime: str, body: bytes, *, encrypted: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """Put a picture into the media repository; gives its `mxc:` address and the keys to it.

        Without encryption there are no keys.
        """
        async with self.answered(_UPLOAD_S):
            said, keys = await self.client.upload(
                lambda *_: body, content_type=mime, filesize=len(body), encrypt=encrypted
            )
        return str(accepted(said).content_uri), keys or {}
