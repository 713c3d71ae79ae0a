"""The conversation with one person alone: found where there is one, made where there is none."""

import asyncio
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import structlog

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.rooms import Rooms, others_in

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NOTES = "m.direct"


class DirectRooms:
    """Finds the room in which only one person reads what the bot says.

    Who is in a room is asked anew each time: what is said there is for that person alone.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        # One at a time for a person, or two answers at once would open two rooms.
        self._people: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Reading and writing the account's notes is not atomic on the homeserver.
        self._notes_lock = asyncio.Lock()
        # Made, and perhaps not written down yet.
        self._made: dict[tuple[str, bool], str] = {}
        self._all_encrypted = False

    async def find(self, home: Homeserver, person_id: str, room_id: str) -> str:
        """The room for `person_id`: `room_id` if they are alone there, a known one, or a new one.

        Raises the `AdapterError` that the homeserver's answer stands for.
        """
        lock = self._people.setdefault(person_id, asyncio.Lock())
        async with lock:
            if await self._others(home, room_id) == frozenset({person_id}):
                return room_id
            # What was said behind encryption is not answered in clear text elsewhere.
            encrypted = await self._was_encrypted(home, room_id)
            found = await self._noted(home, person_id, room_id, encrypted=encrypted)
            if found is None:
                found = await self._new(home, person_id, encrypted=encrypted)
            return found

    async def _new(self, home: Homeserver, person_id: str, *, encrypted: bool) -> str:
        key = person_id, encrypted
        if key not in self._made:
            self._made[key] = await self._make(home, person_id, encrypted=encrypted)
        found = self._made[key]
        await self.note(home, person_id, found)
        del self._made[key]
        return found

    async def _was_encrypted(self, home: Homeserver, room_id: str) -> bool:
        try:
            await self._rooms.known(home, room_id)
        except (Unreachable, SendRejected):
            # The bot is no longer there: what it still has to say answers nothing there.
            return home.encryption is not None and home.encryption.knows(room_id)
        return await self._rooms.is_encrypted(home, room_id)

    async def note(self, home: Homeserver, person_id: str, room_id: str) -> None:
        """Write down in the bot's account that the room is the one for this person.

        Raises the `AdapterError` that the homeserver's answer stands for.
        """
        async with self._notes_lock:
            notes = await _notes(home)
            rooms = _rooms_of(notes, person_id)
            if room_id not in rooms:
                await home.put_account_data(_NOTES, {**notes, person_id: [room_id, *rooms]})

    async def _noted(
        self, home: Homeserver, person_id: str, not_in: str, *, encrypted: bool
    ) -> str | None:
        for candidate in _rooms_of(await _notes(home), person_id):
            if candidate == not_in or (
                encrypted and not await self._rooms.is_encrypted(home, candidate)
            ):
                continue
            if await self._usable(home, candidate, person_id):
                return candidate
        return None

    async def _make(self, home: Homeserver, person_id: str, *, encrypted: bool) -> str:
        if encrypted and home.encryption is None:
            raise Unreachable(
                "They spoke in an encrypted room, and the bot would have to answer in clear text."
            )
        if not self._all_encrypted:
            room_id = await home.create_direct_room(person_id, encrypted=encrypted)
            if encrypted:
                # Sync may tell of a room half made, before its encryption.
                self._rooms.remember_encrypted(home, room_id)
            if home.encryption or not (await self._rooms.known(home, room_id)).encrypted:
                return room_id
            # Remembered, or each answer would leave another useless room behind.
            self._all_encrypted = True
            await home.leave(room_id)
        raise Unreachable("The homeserver encrypts all new rooms, which the bot cannot read.")

    async def _usable(self, home: Homeserver, room_id: str, person_id: str) -> bool:
        """Whether the room is (or becomes again, by an invitation) theirs alone."""
        others = await self._others(home, room_id)
        if others == frozenset({person_id}):
            return True
        if others is None or others:
            return False
        try:
            await home.invite(room_id, person_id)
        except (Unreachable, SendRejected) as error:
            log.info("matrix_direct_room_given_up", room_id=room_id, reason=str(error))
            return False
        return True

    async def _others(self, home: Homeserver, room_id: str) -> frozenset[str] | None:
        """Who may read along in the room, or None when it cannot serve.

        It cannot when anybody may read along, when the bot is not there, or when it is encrypted
        and the bot does not encrypt.
        """
        try:
            room = await self._rooms.known(home, room_id)
            if room.open or (room.encrypted and home.encryption is None):
                return None
            return await others_in(home, room_id)
        except (Unreachable, SendRejected):
            return None


async def _notes(home: Homeserver) -> dict[str, Any]:
    try:
        return await home.account_data(_NOTES)
    except Unreachable:
        return {}


def _rooms_of(notes: dict[str, Any], person_id: str) -> Sequence[str]:
    rooms = notes.get(person_id)
    if not isinstance(rooms, list):
        return []
    return [room_id for room_id in rooms if isinstance(room_id, str)]
