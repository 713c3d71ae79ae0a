"""What the bot knows of its rooms: who else is there, and whether others can look in."""

from collections import OrderedDict

import msgspec
import structlog

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.matrix.faults import ServerFault
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.reading import is_event_id
from bot.adapters.matrix.wire import (
    HistoryContent,
    JoinRulesContent,
    MemberContent,
    OwnContent,
    ReactionContent,
    RoomEvent,
    decoded_events,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NAMES_MAX = 500
_ORIGINS_MAX = 10_000
_PAIR = 2


class Room(msgspec.Struct):
    """One room. A `private` of None means that the homeserver has to be asked."""

    encrypted: bool = False
    join_rule: str = "invite"
    history_visibility: str = "shared"
    private: bool | None = None
    names: OrderedDict[str, str] = msgspec.field(default_factory=OrderedDict)

    @property
    def open(self) -> bool:
        """Whether people who are not in the room may come in or read along."""
        return self.join_rule == "public" or self.history_visibility == "world_readable"

    def learn(self, event: RoomEvent) -> None:
        """Take in a state event. Raises `msgspec.DecodeError` for a malformed one."""
        if event.type == "m.room.encryption":
            # Encryption cannot be switched off again, whatever a later event says.
            self.encrypted = True
        elif event.type == "m.room.join_rules":
            self.join_rule = msgspec.json.decode(event.content, type=JoinRulesContent).join_rule
            self.private = None
        elif event.type == "m.room.history_visibility":
            content = msgspec.json.decode(event.content, type=HistoryContent)
            self.history_visibility = content.history_visibility
            self.private = None
        elif event.type == "m.room.member":
            self._learn_name(event)

    def _learn_name(self, event: RoomEvent) -> None:
        content = msgspec.json.decode(event.content, type=MemberContent)
        person_id = event.state_key
        if person_id and content.membership == "join" and content.displayname:
            self.names[person_id] = content.displayname
            self.names.move_to_end(person_id)
            if len(self.names) > _NAMES_MAX:
                self.names.popitem(last=False)


class Rooms:
    """The rooms, as far as the bot has heard or asked."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def told(self, room_id: str) -> Room:
        """A room that sync is telling about: a fresh one comes with all of its state."""
        return self._rooms.setdefault(room_id, Room())

    def forget(self, room_id: str) -> None:
        """The bot is out of the room: what is known of it grows old."""
        self._rooms.pop(room_id, None)

    def name(self, room_id: str, person_id: str) -> str:
        """How a person is called in a room, or nothing when the bot was not told."""
        room = self._rooms.get(room_id)
        return "" if room is None else room.names.get(person_id, "")

    async def known(self, home: Homeserver, room_id: str) -> Room:
        """A room whose state is known, asking the homeserver when it is not.

        Raises the `AdapterError` that the homeserver's answer stands for.
        """
        room = self._rooms.get(room_id)
        if room is None:
            room = Room()
            for event in decoded_events((await home.state(room_id)).events):
                learn(room, event)
            # Sync may have brought the room meanwhile, and is the fresher of the two.
            room = self._rooms.setdefault(room_id, room)
        return room

    def remember_encrypted(self, home: Homeserver, room_id: str) -> None:
        """A room is encrypted, and will be for ever."""
        self.told(room_id).encrypted = True
        if home.encryption is not None:
            home.encryption.remember(room_id)

    async def is_encrypted(self, home: Homeserver, room_id: str) -> bool:
        """Whether what is said in a room is encrypted; a room that is cannot cease to be.

        A room that the homeserver does not show counts as encrypted: then nothing of it is
        believed, and nothing is said there in clear text. Raises `NetworkDown` when it cannot be
        asked.
        """
        if home.encryption is not None and home.encryption.knows(room_id):
            return True
        try:
            return (await self.known(home, room_id)).encrypted
        except (Unreachable, SendRejected, ServerFault):
            return True

    async def is_private(self, home: Homeserver, room_id: str) -> bool:
        """Whether only the bot and one person are in the room and nobody can look in.

        Raises `NetworkDown` when the homeserver cannot be asked.
        """
        try:
            room = await self.known(home, room_id)
            if room.private is None:
                room.private = not room.open and len(await others_in(home, room_id)) == 1
        except (Unreachable, SendRejected, ServerFault):
            # Put out meanwhile, or not told: then nothing personal belongs there.
            return False
        return room.private


def learn(room: Room, event: RoomEvent) -> None:
    """Take in a state event; one that makes no sense is logged and changes nothing."""
    try:
        room.learn(event)
    except msgspec.DecodeError as error:
        log.warning("matrix_state_malformed", event_id=event.event_id, reason=str(error))


async def others_in(home: Homeserver, room_id: str) -> frozenset[str]:
    """Who is in the room or invited to it, besides the bot; in a larger room only some of them.

    Raises the `AdapterError` that the homeserver's answer stands for.
    """
    joined = await home.joined_members(room_id)
    if len(joined) <= _PAIR:
        joined |= await home.members(room_id)
    return joined - {home.user_id}


class Origin(msgspec.Struct, frozen=True):
    """What kind of event it is and who made it: both survive redaction.

    `thread_ref` is the message that begins the thread in which it stands. `mark` is what a card of
    the bot and the picture before it have in common. `sealed_id` names its
    encryption. All are empty where there is none.
    """

    kind: str
    sender: str
    thread_ref: str = ""
    mark: str = ""
    is_picture: bool = False
    sealed_id: str = ""


def origin_of(event: RoomEvent) -> Origin:
    """What an event is, as far as it can be read."""
    thread_ref = ""
    own = OwnContent()
    try:
        relation = msgspec.json.decode(event.content, type=ReactionContent).relates_to
        if relation is not None and relation.rel_type == "m.thread":
            thread_ref = relation.event_id
        own = msgspec.json.decode(event.content, type=OwnContent)
    except msgspec.DecodeError:
        log.info("matrix_content_malformed", event_id=event.event_id)
    is_picture = own.msgtype == "m.image"
    return Origin(event.type, event.sender, thread_ref, own.card, is_picture, event.sealed_id)


class Origins:
    """Who made which event: the last ones are remembered, others are asked for."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Origin] = OrderedDict()
        self._cards: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def note(self, room_id: str, event_id: str, origin: Origin) -> None:
        """Remember an event."""
        self._known[room_id, event_id] = origin
        self._known.move_to_end((room_id, event_id))
        if len(self._known) > _ORIGINS_MAX:
            self._known.popitem(last=False)
        if origin.mark and not origin.is_picture:
            self._cards[room_id, origin.sender, origin.mark] = event_id
            if len(self._cards) > _ORIGINS_MAX:
                self._cards.popitem(last=False)

    def card_of(self, room_id: str, picture: Origin) -> str | None:
        """The card that belongs to a picture of the same sender, if it is remembered."""
        return self._cards.get((room_id, picture.sender, picture.mark))

    async def find(self, home: Homeserver, room_id: str, event_id: str) -> Origin | None:
        """What an event is, or None when this room shows the bot no such event.

        Raises `NetworkDown` when the homeserver cannot be asked.
        """
        if not is_event_id(event_id):
            return None
        known = self._known.get((room_id, event_id))
        if known is not None:
            return known
        try:
            event = await home.event(room_id, event_id)
        except (Unreachable, SendRejected, ServerFault):
            # A homeserver that fails on one event must not keep the bot from all others.
            return None
        origin = origin_of(event)
        self.note(room_id, event_id, origin)
        return origin
