"""End-to-end encryption: the bot's device, its keys, and what it opens and closes with them.

The keys lie in a store of their own in the data folder, for one process at a time. What the bot
says goes to all devices of those in the room, as they are first seen; a device whose key changes
later is left out. What it opens was written by a device of the person whom the homeserver names as
its sender, and where that person's account has signing keys, by a device that they signed.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import nio
import structlog
from nio.crypto import ENCRYPTION_ENABLED

from bot.adapters.base import NetworkDown
from bot.adapters.matrix.faults import LoggedOut, accepted
from bot.adapters.matrix.owners import AskKeys, Owners
from bot.adapters.matrix.wire import RoomEvent, SyncAnswer

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ENCRYPTED = "m.room.encrypted"
_STORE_NAME = "keys.db"
_SHARE_TRIES = 5

#: Something of nio's, which ships no types.
Nio: TypeAlias = Any
Members = Callable[[], Awaitable[frozenset[str]]]


class Unopened(Exception):
    """The key of a message has not come yet."""


class Forged(Exception):
    """A message that its sender did not write, or that is no message at all."""


def require_extra() -> None:
    """Raises `AdapterError` when the libraries for encryption are not installed."""
    if not ENCRYPTION_ENABLED:
        raise LoggedOut(
            "Encryption is switched on for Matrix, but its libraries are not installed: install"
            ' "payontap[matrix-encryption]" or set matrix.encryption to false.'
        )


def encrypted_config(**common: object) -> Nio:
    """The configuration of a client that encrypts; raises `AdapterError` without the extra."""
    require_extra()
    return nio.AsyncClientConfig(encryption_enabled=True, store_name=_STORE_NAME, **common)


class Encryption:
    """The cryptography of one device. `client` is nio's, logged in."""

    def __init__(self, client: Nio, store_dir: Path) -> None:
        self._client = client
        self._store_dir = store_dir
        self._owners = Owners(store_dir)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._busy = asyncio.Lock()

    async def open_store(self) -> None:
        """Load the device's keys, or make them at its first start, and show the public ones.

        Raises `LoggedOut` when the access token belongs to no device, and the `AdapterError` that
        fits when the homeserver does not take the keys.
        """
        if not self._client.device_id:
            raise LoggedOut(
                "The access token belongs to no device, so it has no keys: give Matrix a password,"
                " or the token of a login."
            )
        self._store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._client.store_path = str(self._store_dir)
        self._client.load_store()
        async with self._busy:
            await self._keep_up()

    @property
    def machine(self) -> Nio:
        """The device's state, kept by nio."""
        return self._client.olm

    # What the homeserver tells

    async def take(self, answer: SyncAnswer) -> None:
        """Take in what a sync brings for the device, and do what it asks for.

        Raises `AdapterError` when the homeserver does not take the device's own keys.
        """
        async with self._busy:
            for n, body in enumerate(answer.to_device.events):
                await self._take_one(body, f"{answer.next_batch}:{n}", answer)
            changed = {*answer.device_lists.changed, *answer.device_lists.left}
            known = set(self.machine.tracked_users) | set(self.machine.device_store.users)
            self.machine.add_changed_users(changed & known)
            self.machine.uploaded_key_count = answer.device_one_time_keys_count.signed
            await self._keep_up()

    async def _take_one(self, body: msgspec.Raw, name: str, answer: SyncAnswer) -> None:
        try:
            event = nio.ToDeviceEvent.parse_event(msgspec.json.decode(body))
            if event is None:
                return
            counts = nio.responses.DeviceOneTimeKeyCount(
                None, answer.device_one_time_keys_count.signed
            )
            told = nio.SyncResponse(
                next_batch=name,
                rooms=nio.responses.Rooms({}, {}, {}),
                device_key_count=counts,
                device_list=nio.responses.DeviceList([], []),
                to_device_events=[event],
                presence_events=[],
            )
            await self._client.receive_response(told)
        except Exception:
            # Anybody can send any device anything; it may cost itself only.
            log.exception("matrix_device_message_skipped")

    async def _keep_up(self) -> None:
        """Upload, ask for and claim keys, and answer other devices, where that is due."""
        client = self._client
        if client.should_upload_keys:
            accepted(await client.keys_upload())
        await self._query()
        if client.should_claim_keys:
            accepted(await client.keys_claim(client.get_users_for_key_claiming()))
        await client.send_to_device_messages()

    async def _query(self) -> None:
        if self._client.should_query_keys:
            accepted(await self._client.keys_query())

    # Opening

    async def opened(self, room_id: str, event: RoomEvent, ask: AskKeys) -> RoomEvent:
        """The event that an encrypted one holds; `ask` tells the public keys of an account.

        Its `event_id` stays; `sealed_id` names the very encryption, so that a homeserver that
        shows it a second time under another id shows nothing new. Raises `Unopened` when the key
        has not come, `Forged` when it cannot be what it seems, `AdapterError` when the homeserver
        does not tell about the sender's devices.
        """
        sealed = _megolm(room_id, event)
        await self._check_sender(room_id, sealed, event.sender, ask)
        try:
            inner = self.machine.decrypt_megolm_event(sealed, room_id).source
        except nio.EncryptionError as error:
            raise Forged(str(error)) from error
        if not isinstance(inner.get("content"), dict) or inner.get("room_id", room_id) != room_id:
            raise Forged("It was written for another room, or has no content.")
        return msgspec.structs.replace(
            event,
            type=str(inner.get("type", "")),
            content=msgspec.Raw(msgspec.json.encode(inner["content"])),
            sealed_id=_sealed_id(room_id, sealed),
        )

    async def _check_sender(self, room_id: str, sealed: Nio, sender: str, ask: AskKeys) -> None:
        session = self.machine.inbound_group_store.get(
            room_id, sealed.sender_key, sealed.session_id
        )
        if session is None:
            raise Unopened(sealed.session_id)
        if session.forwarding_chain:
            raise Forged("Its key was passed on by others, who can say anything about it.")
        if not self._is_device_of(sender, sealed.sender_key, session.ed25519):
            self.machine.users_for_key_query.add(sender)
            await self._query()
            if not self._is_device_of(sender, sealed.sender_key, session.ed25519):
                raise Forged(f"No device of {sender} wrote it.")
        if sender == self._client.user_id:
            return
        if not await self._owners.vouches(sender, sealed.sender_key, session.ed25519, ask):
            raise Forged(f"{sender} has not signed the device that wrote it.")

    def _is_device_of(self, person_id: str, curve25519: str, ed25519: str) -> bool:
        if person_id == self._client.user_id:
            own = self.machine.account.identity_keys
            if (curve25519, ed25519) == (own["curve25519"], own["ed25519"]):
                return True
        devices = self.machine.device_store.active_user_devices(person_id)
        return any((d.curve25519, d.ed25519) == (curve25519, ed25519) for d in devices)

    # Closing

    def remember(self, room_id: str) -> None:
        """A room is encrypted: keep that, whatever the homeserver says of it later."""
        if not self.knows(room_id):
            self._client.encrypted_rooms.add(room_id)
            self._client.store.save_encrypted_rooms([room_id])

    def knows(self, room_id: str) -> bool:
        """Whether a room was once seen to be encrypted."""
        return room_id in self._client.encrypted_rooms

    def members_changed(self, room_id: str) -> None:
        """Somebody came or went: the next message gets a new key, for those who are there then."""
        if room_id in self._client.rooms:
            self._client.rooms[room_id].members_synced = False
            self._client.invalidate_outbound_session(room_id)

    async def closed(
        self, room_id: str, kind: str, content: Mapping[str, Any], members: Members
    ) -> tuple[str, Mapping[str, Any]]:
        """An event encrypted for the devices of all members; gives its outer kind and content.

        Raises `AdapterError` when the homeserver does not hand out or carry keys.
        """
        async with self._turns[room_id]:
            for _ in range(_SHARE_TRIES):
                if not self._knows_members(room_id):
                    self._meet(room_id, await members())
                async with self._busy:
                    await self._query()
                    if self.machine.should_share_group_session(room_id):
                        await self._share(room_id)
                    # Somebody may have come or gone while the key was handed out.
                    if self._knows_members(room_id) and not (
                        self.machine.should_share_group_session(room_id)
                    ):
                        outer: tuple[str, dict[str, Any]] = self._client.encrypt(
                            room_id, kind, dict(content)
                        )
                        return outer
        raise NetworkDown("People come and go faster than they can be handed keys.")

    def _knows_members(self, room_id: str) -> bool:
        room = self._client.rooms.get(room_id)
        return room is not None and bool(room.members_synced)

    async def _share(self, room_id: str) -> None:
        """Hand the room's key to all devices that can be reached.

        nio does that too, and says that it is done where the homeserver failed in its midst; what
        is said then, nobody could read. So it is looked at device by device. A device that left no
        keys for first words is left out: it must not silence all. Raises `NetworkDown` for others.
        """
        client = self._client
        missing = client.get_missing_sessions(room_id)
        if missing:
            accepted(await client.keys_claim(missing))
        accepted(await client.share_group_session(room_id, ignore_unverified_devices=True))
        session = self.machine.outbound_group_sessions.get(room_id)
        if session is None:
            # Somebody came or went meanwhile.
            return
        reachable = {
            (person_id, device.id)
            for person_id in client.rooms[room_id].users
            for device in self.machine.device_store.active_user_devices(person_id)
            if device.id != client.device_id and self.machine.session_store.get(device.curve25519)
        }
        session.shared = reachable <= session.users_shared_with
        if not session.shared:
            raise NetworkDown("The homeserver did not carry the room's key to all devices.")

    def _meet(self, room_id: str, members: frozenset[str]) -> None:
        room = nio.MatrixRoom(room_id, self._client.user_id, encrypted=True)
        for person_id in members:
            room.add_member(person_id, None, None)
        room.members_synced = True
        self._client.rooms[room_id] = room
        self.machine.update_tracked_users(room)


def _megolm(room_id: str, event: RoomEvent) -> Nio:
    body = {
        "type": event.type,
        "sender": event.sender,
        "event_id": event.event_id,
        "origin_server_ts": int(event.origin_server_ts),
        "room_id": room_id,
        "content": msgspec.json.decode(event.content),
    }
    try:
        sealed = nio.Event.parse_encrypted_event(body)
    except (KeyError, TypeError) as error:
        raise Forged(f"It lacks what every encrypted message has: {error!r}") from error
    if not isinstance(sealed, nio.MegolmEvent) or not sealed.sender_key:
        raise Forged("It is no message of a room.")
    sealed.room_id = room_id
    return sealed


def sealed_id_of(room_id: str, event: RoomEvent) -> str:
    """The name of an event's encryption; empty for one that is not encrypted, or was redacted."""
    if event.type != ENCRYPTED or event.redacted:
        return ""
    try:
        return _sealed_id(room_id, _megolm(room_id, event))
    except Forged:
        return ""


def _sealed_id(room_id: str, sealed: Nio) -> str:
    """A name for one encryption of one message: room, session, and index in it.

    A device never closes two messages of a session under the same index. The ciphertext's text is
    no name: the same bytes can be written in several ways.
    """
    # An extra, like nio's encryption, which cannot be switched on without it.
    from vodozemac import DecodeException, MegolmMessage  # noqa: PLC0415

    try:
        index = MegolmMessage.from_base64(sealed.ciphertext).message_index()
    except DecodeException as error:
        raise Forged(f"Its ciphertext is none: {error}") from error
    name = "\n".join((room_id, sealed.sender_key, sealed.session_id, str(index)))
    return hashlib.sha256(name.encode()).hexdigest()
