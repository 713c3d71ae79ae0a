"""From what a homeserver tells to events: who was there to hear, and what was meant."""

import time
from collections.abc import Iterable, Sequence

import msgspec
import structlog

from bot.adapters.base import AdapterError
from bot.adapters.matrix.encryption import Forged, Unopened
from bot.adapters.matrix.faults import ServerFault
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.invitations import Invitations
from bot.adapters.matrix.meaning import Meaning
from bot.adapters.matrix.rooms import Origins, Rooms, learn
from bot.adapters.matrix.upgrades import Predecessor, predecessor_of
from bot.adapters.matrix.wire import (
    MemberContent,
    RoomEvent,
    RoomUpdate,
    SyncAnswer,
    Timeline,
    decoded_events,
)
from bot.events import AnyEvent, Joined, Migrated, Removed

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MEMBER = "m.room.member"
_TOMBSTONE = "m.room.tombstone"
_ENCRYPTION = "m.room.encryption"
#: How long a message waits for its key.
_KEY_WITHIN_S = 120.0
_GONE = frozenset({"leave", "ban"})


class Listener:
    """Turns the answers of one homeserver into the events of one network."""

    def __init__(
        self,
        network: str,
        home: Homeserver,
        rooms: Rooms,
        origins: Origins,
        invitations: Invitations,
    ) -> None:
        self._network = network
        self._home = home
        self._rooms = rooms
        self._meaning = Meaning(network, home, rooms, origins)
        self._invitations = invitations
        self._locked: dict[str, _Locked] = {}

    async def events(self, answer: SyncAnswer, since: str | None) -> list[AnyEvent]:
        """What the bot heard, oldest first within each room.

        Nothing without a `since`: what stood there before the first start is not for the bot.
        Raises `AdapterError` when the homeserver does not answer a question that is needed.
        """
        heard = await self._unlocked()
        for room_id, update in answer.rooms.leave.items():
            if since is not None:
                timeline = self._with_own_end(update)
                timeline = await self._complete(room_id, update.timeline, timeline, since)
                heard += await self._meant(room_id, timeline)
            self._rooms.forget(room_id)
        for room_id, update in answer.rooms.join.items():
            timeline = decoded_events(update.timeline.events)
            self._learn(room_id, update, timeline)
            if since is not None:
                if any(self._came(event) for event in timeline):
                    timeline = await self._past(room_id, answer.next_batch, since)
                else:
                    timeline = await self._complete(room_id, update.timeline, timeline, since)
                heard += await self._meant(room_id, timeline)
        return heard

    @property
    def is_waiting(self) -> bool:
        """Whether a message was seen whose key has not come yet."""
        return bool(self._locked)

    async def _unlocked(self) -> list[AnyEvent]:
        """What was meant by earlier messages whose keys have come now."""
        heard: list[AnyEvent] = []
        locked, self._locked = self._locked, {}
        for each in locked.values():
            heard += await self._safely_heard(each.room_id, each.event, each.until_s)
        return heard

    def _with_own_end(self, update: RoomUpdate) -> list[RoomEvent]:
        """The timeline of a room that the bot is out of, with the event that put it out."""
        timeline = decoded_events(update.timeline.events)
        if any(self._is_own_membership(event) for event in timeline):
            return timeline
        state = decoded_events(update.state.events)
        return timeline + [event for event in state if self._went(event)]

    def _learn(self, room_id: str, update: RoomUpdate, timeline: Sequence[RoomEvent]) -> None:
        room = self._rooms.told(room_id)
        summary = update.summary
        if summary.joined_member_count is not None or summary.invited_member_count is not None:
            room.private = None
        for event in decoded_events(update.state.events):
            learn(room, event)
        for event in timeline:
            if event.state_key is not None:
                learn(room, event)
            if event.type == _MEMBER:
                room.private = None
        moved = update.timeline.limited or any(event.type == _MEMBER for event in timeline)
        if self._home.encryption is not None:
            if room.encrypted:
                self._rooms.remember_encrypted(self._home, room_id)
            if moved:
                self._home.encryption.members_changed(room_id)

    async def _complete(
        self, room_id: str, shown: Timeline, timeline: list[RoomEvent], since: str
    ) -> list[RoomEvent]:
        """The timeline and before it what happened since, where the homeserver left that out."""
        if not shown.limited or shown.prev_batch is None:
            return timeline
        return await self._past(room_id, shown.prev_batch, since) + timeline

    async def _past(self, room_id: str, before: str, since: str) -> list[RoomEvent]:
        """What happened after `since` and before another token, oldest first.

        After a join this is asked for instead of the timeline, which then goes back beyond
        `since` into a past that the bot heard already or must not hear.
        """
        newest_first: list[RoomEvent] = []
        token: str | None = before
        try:
            while token is not None:
                page = await self._home.older_messages(room_id, token, since)
                newest_first += decoded_events(page.chunk)
                # An empty page is not the end; a page that leads to itself would be endless.
                token = page.end if page.end not in {token, since} else None
        except ServerFault:
            # One room that the homeserver cannot read must not silence all others.
            log.exception("matrix_gap_lost", room_id=room_id)
        newest_first.reverse()
        return newest_first

    async def _meant(self, room_id: str, timeline: Sequence[RoomEvent]) -> list[AnyEvent]:
        """The events among those of a room, without what happened while the bot was not in it."""
        heard: list[AnyEvent] = []
        present = self._was_present(timeline)
        until_s = time.monotonic() + _KEY_WITHIN_S
        for event in timeline:
            if self._is_own_membership(event):
                present = _membership(event) == "join"
            if present or self._is_own_membership(event):
                heard += await self._safely_heard(room_id, event, until_s)
        return heard

    async def _safely_heard(self, room_id: str, event: RoomEvent, until_s: float) -> list[AnyEvent]:
        """What an event means. One that cannot be read costs itself only.

        One whose key has not come is kept until `until_s`. Raises `AdapterError` when the
        homeserver does not answer a question that is needed.
        """
        try:
            if self._is_own_membership(event):
                change = await self._membership_change(room_id, event)
                return [] if change is None else [change]
            if event.type == _TOMBSTONE and event.state_key == "":
                self._invitations.follow(event)
                return []
            if event.type == _ENCRYPTION and self._home.encryption is None:
                self._invitations.refuse_encrypted(room_id)
                return []
            return await self._meaning.heard(room_id, await self._home.opened(room_id, event))
        except Unopened:
            if self._home.encryption is not None and time.monotonic() < until_s:
                self._locked[event.event_id] = _Locked(room_id, event, until_s)
            else:
                log.warning("matrix_event_without_key", room_id=room_id, event_id=event.event_id)
        except Forged as error:
            log.warning("matrix_event_forged", event_id=event.event_id, reason=str(error))
        except AdapterError:
            raise
        except msgspec.DecodeError as error:
            log.warning("matrix_event_malformed", event_id=event.event_id, reason=str(error))
        except Exception:
            # Anybody can send an event that nobody thought of; it may cost itself only.
            log.exception("matrix_event_skipped", room_id=room_id, event_id=event.event_id)
        return []

    def _was_present(self, timeline: Iterable[RoomEvent]) -> bool:
        """Whether the bot was in the room before the first of these events."""
        for event in timeline:
            if self._is_own_membership(event):
                return _was_in(event)
        return True

    def _is_own_membership(self, event: RoomEvent) -> bool:
        return event.type == _MEMBER and event.state_key == self._home.user_id

    def _came(self, event: RoomEvent) -> bool:
        """Whether the bot came into the room by this event (and not: changed its name)."""
        return (
            self._is_own_membership(event) and _membership(event) == "join" and not _was_in(event)
        )

    def _went(self, event: RoomEvent) -> bool:
        """Whether the bot went out of the room by this event (and not: was never in it)."""
        return self._is_own_membership(event) and _membership(event) in _GONE and _was_in(event)

    async def _membership_change(
        self, room_id: str, event: RoomEvent
    ) -> Joined | Removed | Migrated | None:
        kind: type[Joined] | type[Removed]
        if self._came(event):
            if self._home.encryption is None and await self._rooms.is_encrypted(
                self._home, room_id
            ):
                self._invitations.refuse_encrypted(room_id)
                return None
            before = await predecessor_of(self._home, room_id)
            if before is not None:
                return self._migration(before, room_id, event)
            inviter = self._invitations.inviters.pop(room_id, None) or event.unsigned.prev_sender
            if inviter is None and event.unsigned.prev_content is None:
                # A room that the bot made itself, to tell one person something: no place to
                # introduce itself in.
                return None
            kind, person_id = Joined, inviter or event.sender
            private = await self._rooms.is_private(self._home, room_id)
        elif self._went(event):
            kind, person_id, private = Removed, event.sender, False
        else:
            return None
        return kind(
            id=self._meaning.id_of(event),
            network=self._network,
            room_id=room_id,
            person_id=person_id,
            private=private,
            occurred_at_s=event.origin_server_ts / 1000,
        )

    def _migration(self, before: Predecessor, to_room_id: str, event: RoomEvent) -> Migrated:
        """The bot came into the room that continues another one."""
        self._invitations.inviters.pop(to_room_id, None)
        return Migrated(
            id=self._meaning.id_of(event),
            network=self._network,
            room_id=before.room_id,
            person_id=before.closed_by,
            occurred_at_s=event.origin_server_ts / 1000,
            to_room_id=to_room_id,
        )


class _Locked(msgspec.Struct, frozen=True):
    """A message whose key has not come yet, and until when it is waited for (monotonic)."""

    room_id: str
    event: RoomEvent
    until_s: float


def _membership(event: RoomEvent) -> str:
    """What an `m.room.member` event makes of its person."""
    try:
        return msgspec.json.decode(event.content, type=MemberContent).membership
    except msgspec.DecodeError:
        return ""


def _was_in(event: RoomEvent) -> bool:
    """Whether the person of an `m.room.member` event was in the room before it."""
    before = event.unsigned.prev_content
    return before is not None and before.membership == "join"
