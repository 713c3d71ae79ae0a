"""What one event of a room means: words, a tap, a vote, a tap taken back. At most one thing."""

from typing import TypedDict

import msgspec

from bot.adapters.matrix import polls
from bot.adapters.matrix.encryption import sealed_id_of
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.pictures import card_of_picture
from bot.adapters.matrix.reading import marked_links, own_words, reaction_key
from bot.adapters.matrix.rooms import Origins, Rooms, origin_of
from bot.adapters.matrix.wire import (
    MessageContent,
    ReactionContent,
    RedactionContent,
    RelatesTo,
    RoomEvent,
)
from bot.events import AnyEvent, Message, Tap, Untap

_MESSAGE = "m.room.message"
_REACTION = "m.reaction"


class _Common(TypedDict):
    """What every event says."""

    network: str
    room_id: str
    person_id: str
    private: bool
    occurred_at_s: float


class Meaning:
    """Understands what people do in rooms; of encrypted events it gets what they hold."""

    def __init__(self, network: str, home: Homeserver, rooms: Rooms, origins: Origins) -> None:
        self._network = network
        self._home = home
        self._rooms = rooms
        self._origins = origins

    def id_of(self, event: RoomEvent) -> str:
        """The event's name in the inbox."""
        # An encrypted event is known by its encryption: a homeserver can show it under two ids.
        return f"{self._network}:{event.sealed_id or event.event_id}"

    async def heard(self, room_id: str, event: RoomEvent) -> list[AnyEvent]:
        """What an event of somebody means.

        Raises `msgspec.DecodeError` for one that cannot be read, and `AdapterError` when the
        homeserver does not answer a question that is needed.
        """
        if event.type in {_MESSAGE, _REACTION, *polls.RESPONSES}:
            self._origins.note(room_id, event.event_id, origin_of(event))
        if event.sender == self._home.user_id or await self._is_forgeable(room_id, event):
            return []
        if event.sealed_id and event.type in polls.RESPONSES:
            return await self._vote(room_id, event)
        meant: AnyEvent | None = None
        if event.type == _MESSAGE and not event.redacted:
            meant = await self._message(room_id, event)
        elif event.type == _REACTION and not event.redacted:
            meant = await self._tap(room_id, event)
        elif event.type == "m.room.redaction":
            meant = await self._untap(room_id, event)
        return [] if meant is None else [meant]

    async def _common(self, room_id: str, event: RoomEvent) -> _Common:
        return {
            "network": self._network,
            "room_id": room_id,
            "person_id": event.sender,
            "private": await self._rooms.is_private(self._home, room_id),
            "occurred_at_s": event.origin_server_ts / 1000,
        }

    async def _is_forgeable(self, room_id: str, event: RoomEvent) -> bool:
        """Whether this is clear text in an encrypted room, where only the homeserver vouches."""
        if event.sealed_id or event.type not in {_MESSAGE, _REACTION}:
            return False
        return await self._rooms.is_encrypted(self._home, room_id)

    async def _vote(self, room_id: str, event: RoomEvent) -> list[AnyEvent]:
        """A vote in a poll of the bot is a tap; one for nothing takes the earlier ones back."""
        content = msgspec.json.decode(event.content, type=polls.ResponseContent)
        relation = content.relates_to
        if relation is None or relation.rel_type != "m.reference":
            return []
        target = await self._origins.find(self._home, room_id, relation.event_id)
        if target is None or target.sender != self._home.user_id:
            return []
        common = await self._common(room_id, event)
        if content.chosen:
            return [
                Tap(
                    id=self.id_of(event),
                    message_ref=relation.event_id,
                    action=content.chosen,
                    tap_ref=event.sealed_id,
                    **common,
                )
            ]
        earlier = await self._earlier_votes(room_id, relation.event_id, event)
        return [
            Untap(id=f"{self.id_of(event)}:{n}", tap_ref=vote_id, **common)
            for n, vote_id in enumerate(earlier)
        ]

    async def _earlier_votes(self, room_id: str, poll_id: str, event: RoomEvent) -> list[str]:
        """The names of this person's votes in the poll before this one, the newest first."""
        related = await self._home.related(room_id, poll_id, "m.reference")
        votes = [each for each in related if each.sender == event.sender]
        names = [sealed_id_of(room_id, each) for each in votes]
        if event.sealed_id in names:
            names = names[names.index(event.sealed_id) + 1 :]
        return [name for name in names if name]

    async def _message(self, room_id: str, event: RoomEvent) -> Message | None:
        content = msgspec.json.decode(event.content, type=MessageContent)
        relation = content.relates_to or RelatesTo()
        if content.msgtype != "m.text" or relation.rel_type == "m.replace":
            return None
        answered = None if relation.is_falling_back else relation.in_reply_to
        return Message(
            id=self.id_of(event),
            **await self._common(room_id, event),
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
            id=self.id_of(event),
            **await self._common(room_id, event),
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
        if target is None or target.sender != event.sender:
            return None
        if target.kind != _REACTION and not target.sealed_id:
            return None
        return Untap(
            id=self.id_of(event),
            **await self._common(room_id, event),
            # A vote is known by its encryption, which a redaction takes away: one of before the
            # last start is not known any more, and is taken back by another vote only.
            tap_ref=target.sealed_id or target_id,
        )
