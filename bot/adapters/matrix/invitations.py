"""Invitations: the bot goes where it is invited, and where a room of its goes on."""

import asyncio
from collections.abc import Mapping

import msgspec
import structlog

from bot.adapters.base import AdapterError, RateLimited
from bot.adapters.matrix.direct import DirectRooms
from bot.adapters.matrix.faults import LoggedOut
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.wire import (
    InvitedRoom,
    MemberContent,
    RoomEvent,
    TombstoneContent,
    decoded_events,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_TRIES = 7
_PAUSE_S = 0.5


#: Why the bot leaves an encrypted room; it stands beside its leaving, where all can read it.
CANNOT_READ = (
    "This room is encrypted, and encryption is not switched on for this bot. Nothing was read and "
    "no money moved. Ask its admin to switch it on, or invite the bot to a room without encryption."
)


class Invitations:
    """Accepts invitations beside the reading, which must not wait for them.

    An invitation that a crash left unanswered comes again with the first sync after it.
    """

    def __init__(self, home: Homeserver, direct: DirectRooms) -> None:
        self._home = home
        self._direct = direct
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        #: Who invited the bot into which room, until it is there.
        self.inviters: dict[str, str] = {}

    def accept(self, invited: Mapping[str, InvitedRoom]) -> None:
        """Begin to accept the invitations of one sync."""
        for room_id, room in invited.items():
            if room_id in self._joining:
                continue
            events = decoded_events(room.invite_state.events)
            invitation = next((event for event in events if self._is_own(event)), None)
            if invitation is not None:
                self.inviters[room_id] = invitation.sender
            self._joining[room_id] = asyncio.create_task(self._answer(room_id, invitation))

    def follow(self, tombstone: RoomEvent) -> None:
        """Begin to go where an upgraded room goes on.

        That may need an invitation, which comes like any other. Raises `msgspec.DecodeError` for a
        tombstone that makes no sense.
        """
        room_id = msgspec.json.decode(tombstone.content, type=TombstoneContent).replacement_room
        if room_id and room_id not in self._joining:
            via = tombstone.sender.partition(":")[2] or None
            self._joining[room_id] = asyncio.create_task(self._answer(room_id, None, via))

    def refuse_encrypted(self, room_id: str) -> None:
        """Begin to leave a room in which the bot could neither read nor answer; all see why."""
        self._leaving[room_id] = asyncio.create_task(self._leave(room_id))

    async def _leave(self, room_id: str) -> None:
        try:
            await self._home.leave(room_id, CANNOT_READ)
        except AdapterError as error:
            log.warning("matrix_room_not_left", room_id=room_id, reason=str(error))
        finally:
            del self._leaving[room_id]

    async def close(self) -> None:
        """Stop what is still under way."""
        tasks = [*self._joining.values(), *self._leaving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_own(self, event: RoomEvent) -> bool:
        return event.type == "m.room.member" and event.state_key == self._home.user_id

    async def _answer(
        self, room_id: str, invitation: RoomEvent | None, via: str | None = None
    ) -> None:
        try:
            if await self._join(room_id, via) and invitation is not None and _is_direct(invitation):
                await self._direct.note(self._home, invitation.sender, room_id)
        except AdapterError as error:
            log.warning("matrix_invitation_unfinished", room_id=room_id, reason=str(error))
        finally:
            del self._joining[room_id]

    async def _join(self, room_id: str, via: str | None) -> bool:
        """Join, with patience: the homeserver may tell of an invitation before it stands."""
        pause_s = _PAUSE_S
        for _ in range(_TRIES):
            try:
                await self._home.join(room_id, via)
            except LoggedOut:
                raise
            except AdapterError as error:
                reason = str(error)
                wait_s = error.retry_after_s if isinstance(error, RateLimited) else pause_s
            else:
                return True
            await asyncio.sleep(wait_s)
            pause_s *= 2
        log.warning("matrix_invitation_given_up", room_id=room_id, reason=reason)
        self.inviters.pop(room_id, None)
        return False


def _is_direct(invitation: RoomEvent) -> bool:
    try:
        return msgspec.json.decode(invitation.content, type=MemberContent).is_direct
    except msgspec.DecodeError:
        return False
