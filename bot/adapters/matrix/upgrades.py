"""Rooms that were upgraded: which room a room continues, if both say so."""

import msgspec

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.matrix.faults import ServerFault
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.wire import CreateContent, TombstoneContent


class Predecessor(msgspec.Struct, frozen=True):
    """The room before an upgrade, and who closed it."""

    room_id: str
    closed_by: str


async def predecessor_of(home: Homeserver, room_id: str) -> Predecessor | None:
    """The room that goes on in `room_id`, or None.

    Anybody can make a room that claims to continue another one, so the old room's tombstone has to
    name this one; only who may close the old room can set that. Raises `NetworkDown` when the
    homeserver cannot be asked.
    """
    try:
        created = await home.state_event(room_id, "m.room.create")
        before = msgspec.json.decode(created.content, type=CreateContent).predecessor
        if before is None or not before.room_id:
            return None
        tombstone = await home.state_event(before.room_id, "m.room.tombstone")
        leads_to = msgspec.json.decode(tombstone.content, type=TombstoneContent).replacement_room
    except (Unreachable, SendRejected, ServerFault, msgspec.DecodeError):
        # The bot was never in the old room, or it has no tombstone that makes sense.
        return None
    if leads_to != room_id:
        return None
    return Predecessor(before.room_id, tombstone.sender)
