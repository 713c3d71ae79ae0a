"""From what a homeserver tells to events: who was there to hear, and what was meant."""

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from bot.adapters.base import AdapterError
from bot.adapters.matrix.faults import ServerFault
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.invitations import Invitations
from bot.adapters.matrix.pictures import card_of_picture
from bot.adapters.matrix.reading import marked_links, own_words, reaction_key
from bot.adapters.matrix.rooms import Origins, Rooms, decoded_events, learn, origin_of
from bot.adapters.matrix.upgrades import Predecessor, predecessor_of
from bot.adapters.matrix.wire import (
    MemberContent,
    MessageContent,
    ReactionContent,
    RedactionContent,
    RelatesTo,
    RoomEvent,
    RoomUpdate,
    SyncAnswer,
    Timeline,
)
from bot.events import AnyEvent, Joined, Message, Migrated, Removed, Tap, Untap

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MESSAGE = "m.room.message"
_REACTION = "m.reaction"
_MEMBER = "m.room.member"
_TOMBSTONE = "m.room.tombstone"
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
        self._origins = origins
        self._invitations = invitations

    async def events(self, answer: SyncAnswer, since: str | None) -> list[AnyEvent]:
        """What the bot heard, oldest first within each room.

        Nothing without a `since`: what stood there before the first start is not for the bot.
        Raises `AdapterError` when the homeserver does not answer a question that is needed.
        """
        heard: list[AnyEvent] = []
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
        for event in timeline:
            try:
                if self._is_own_membership(event):
                    present = _membership(event) == "join"
                    change = await self._membership_change(room_id, event)
                    if change is not None:
                        heard.append(change)
                elif present:
                    heard += await self._heard(room_id, event)
            except AdapterError:
                raise
            except msgspec.DecodeError as error:
                log.warning("matrix_event_malformed", event_id=event.event_id, reason=str(error))
            except Exception:
                # Anybody can send an event that nobody thought of; it may cost itself only.
                log.exception("matrix_event_skipped", room_id=room_id, event_id=event.event_id)
        return heard

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
            id=self._id(event),
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
            id=self._id(event),
            network=self._network,
            room_id=before.room_id,
            person_id=before.closed_by,
            occurred_at_s=event.origin_server_ts / 1000,
            to_room_id=to_room_id,
        )

    def _id(self, event: RoomEvent) -> str:
        return f"{self._network}:{event.event_id}"

    async def _heard(self, room_id: str, event: RoomEvent) -> list[AnyEvent]:
        """What an event of somebody means: at most one thing."""
        if event.type in {_MESSAGE, _REACTION}:
            self._origins.note(room_id, event.event_id, origin_of(event))
        if event.sender == self._home.user_id:
            return []
        meant: AnyEvent | None = None
        if event.type == _MESSAGE and not event.redacted:
            meant = await self._message(room_id, event)
        elif event.type == _REACTION and not event.redacted:
            meant = await self._tap(room_id, event)
        elif event.type == "m.room.redaction":
            meant = await self._untap(room_id, event)
        elif event.type == _TOMBSTONE and event.state_key == "":
            self._invitations.follow(event)
        return [] if meant is None else [meant]

    async def _message(self, room_id: str, event: RoomEvent) -> Message | None:
        content = msgspec.json.decode(event.content, type=MessageContent)
        relation = content.relates_to or RelatesTo()
        if content.msgtype != "m.text" or relation.rel_type == "m.replace":
            return None
        answered = None if relation.is_falling_back else relation.in_reply_to
        return Message(
            id=self._id(event),
            network=self._network,
            room_id=room_id,
            person_id=event.sender,
            private=await self._rooms.is_private(self._home, room_id),
            occurred_at_s=event.origin_server_ts / 1000,
            text=own_words(content),
            message_ref=event.event_id,
            links=marked_links(content),
            thread_ref=(relation.event_id or None) if relation.rel_type == "m.thread" else None,
            reply_to_ref=(answered.event_id or None) if answered else None,
            name=self._rooms.name(room_id, event.sender),
        )

    async def _tap(self, room_id: str, event: RoomEvent) -> Tap | None:
        relation = msgspec.json.decode(event.content, type=ReactionContent).relates_to
        if relation is None or relation.rel_type != "m.annotation":
            return None
        target = await self._origins.find(self._home, room_id, relation.event_id)
        if target is None or target.sender != self._home.user_id:
            return None
        message_ref = await card_of_picture(self._home, self._origins, room_id, relation.event_id)
        return Tap(
            id=self._id(event),
            network=self._network,
            room_id=room_id,
            person_id=event.sender,
            private=await self._rooms.is_private(self._home, room_id),
            occurred_at_s=event.origin_server_ts / 1000,
            message_ref=message_ref,
            reaction=reaction_key(relation.key),
            tap_ref=event.event_id,
        )

    async def _untap(self, room_id: str, event: RoomEvent) -> Untap | None:
        """A reaction taken back. What was redacted, and whose it was, the homeserver still tells.

        A moderator's redaction is the moderator's deed, not the payer's: it is none.
        """
        content = msgspec.json.decode(event.content, type=RedactionContent)
        target_id = content.redacts or event.redacts or ""
        target = await self._origins.find(self._home, room_id, target_id)
        if target is None or (target.kind, target.sender) != (_REACTION, event.sender):
            return None
        return Untap(
            id=self._id(event),
            network=self._network,
            room_id=room_id,
            person_id=event.sender,
            private=await self._rooms.is_private(self._home, room_id),
            occurred_at_s=event.origin_server_ts / 1000,
            tap_ref=target_id,
        )


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
