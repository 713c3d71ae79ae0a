"""The parts of a homeserver's answers that the bot reads, and nothing more.

Events are kept as raw JSON and decoded one by one: one odd event, which anybody in a room can
make, must not cost the others.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class PreviousContent(msgspec.Struct, frozen=True):
    """What a state event said before, as far as memberships go."""

    membership: str = ""


class Unsigned(msgspec.Struct, frozen=True):
    """What the homeserver adds to an event."""

    redacted_because: Any = None
    prev_content: PreviousContent | None = None
    prev_sender: str | None = None


class RoomEvent(msgspec.Struct, frozen=True):
    """An event of a room, its content still raw. `origin_server_ts` is in milliseconds."""

    type: str
    sender: str
    event_id: str = ""
    origin_server_ts: float = 0.0
    content: msgspec.Raw = msgspec.Raw(b"{}")
    unsigned: Unsigned = Unsigned()
    state_key: str | None = None
    redacts: str | None = None
    #: Set by us where the event came encrypted: the name of that very encryption.
    sealed_id: str = ""

    @property
    def redacted(self) -> bool:
        """Whether the event was emptied before it was read."""
        return self.unsigned.redacted_because is not None


class InReplyTo(msgspec.Struct, frozen=True):
    """Which message is answered."""

    event_id: str = ""


class RelatesTo(msgspec.Struct, frozen=True, rename={"in_reply_to": "m.in_reply_to"}):
    """How an event relates to another: an edit, a reaction, a thread, a reply."""

    rel_type: str = ""
    event_id: str = ""
    key: str = ""
    in_reply_to: InReplyTo | None = None
    is_falling_back: bool = False


class MessageContent(msgspec.Struct, frozen=True, rename={"relates_to": "m.relates_to"}):
    """The content of `m.room.message`."""

    msgtype: str = ""
    body: str = ""
    format: str = ""
    formatted_body: str = ""
    relates_to: RelatesTo | None = None


class OwnContent(msgspec.Struct, frozen=True, rename={"card": "payontap.card"}):
    """What the bot writes into its own messages: which card a message or a picture belongs to."""

    msgtype: str = ""
    card: str = ""


class ReactionContent(msgspec.Struct, frozen=True, rename={"relates_to": "m.relates_to"}):
    """The content of `m.reaction`; empty once it is redacted."""

    relates_to: RelatesTo | None = None


class RedactionContent(msgspec.Struct, frozen=True):
    """The content of `m.room.redaction`; room versions before 11 name the target outside it."""

    redacts: str | None = None


class MemberContent(msgspec.Struct, frozen=True):
    """The content of `m.room.member`."""

    membership: str = ""
    displayname: str | None = None
    is_direct: bool = False


class JoinRulesContent(msgspec.Struct, frozen=True):
    """The content of `m.room.join_rules`."""

    join_rule: str = "invite"


class HistoryContent(msgspec.Struct, frozen=True):
    """The content of `m.room.history_visibility`."""

    history_visibility: str = "shared"


class TombstoneContent(msgspec.Struct, frozen=True):
    """The content of `m.room.tombstone`: the room goes on elsewhere."""

    replacement_room: str = ""


class ClaimedRoom(msgspec.Struct, frozen=True):
    """The room that a room says it continues."""

    room_id: str = ""


class CreateContent(msgspec.Struct, frozen=True):
    """The content of `m.room.create`, as far as upgrades go."""

    predecessor: ClaimedRoom | None = None


class EventList(msgspec.Struct, frozen=True):
    """Events, each still raw."""

    events: list[msgspec.Raw] = []


class Timeline(msgspec.Struct, frozen=True):
    """The newest events of a room; `limited` when older ones since the last sync are missing."""

    events: list[msgspec.Raw] = []
    limited: bool = False
    prev_batch: str | None = None


class Summary(
    msgspec.Struct,
    frozen=True,
    rename={
        "joined_member_count": "m.joined_member_count",
        "invited_member_count": "m.invited_member_count",
    },
):
    """How many people are in a room; absent numbers did not change."""

    joined_member_count: int | None = None
    invited_member_count: int | None = None


class RoomUpdate(msgspec.Struct, frozen=True):
    """What happened in a room that the bot is in, or was in until now."""

    timeline: Timeline = Timeline()
    state: EventList = EventList()
    summary: Summary = Summary()


class InvitedRoom(msgspec.Struct, frozen=True):
    """A room that the bot is invited to."""

    invite_state: EventList = EventList()


class RoomUpdates(msgspec.Struct, frozen=True):
    """All rooms with news."""

    join: dict[str, RoomUpdate] = {}
    invite: dict[str, InvitedRoom] = {}
    leave: dict[str, RoomUpdate] = {}


class DeviceLists(msgspec.Struct, frozen=True):
    """Whose devices changed, and whose are no longer ours to know."""

    changed: list[str] = []
    left: list[str] = []


class KeyCounts(msgspec.Struct, frozen=True, rename={"signed": "signed_curve25519"}):
    """How many one-time keys of the bot's device the homeserver still holds."""

    signed: int = 0


class SyncAnswer(msgspec.Struct, frozen=True):
    """One answer of `/sync`; `next_batch` is where the next one goes on."""

    next_batch: str
    rooms: RoomUpdates = RoomUpdates()
    to_device: EventList = EventList()
    device_lists: DeviceLists = DeviceLists()
    device_one_time_keys_count: KeyCounts = KeyCounts()


class MessagesAnswer(msgspec.Struct, frozen=True):
    """A page of a room's past; no `end` when the past is exhausted."""

    chunk: list[msgspec.Raw] = []
    end: str | None = None


class ContextAnswer(msgspec.Struct, frozen=True):
    """What stands around an event."""

    events_after: list[msgspec.Raw] = []


class RelationsAnswer(msgspec.Struct, frozen=True):
    """Events that relate to one event; `next_batch` when there are more."""

    chunk: list[msgspec.Raw] = []
    next_batch: str | None = None


class JoinedMembersAnswer(msgspec.Struct, frozen=True):
    """Who is in a room."""

    joined: dict[str, Any] = {}


class MembersAnswer(msgspec.Struct, frozen=True):
    """The membership events of a room."""

    chunk: list[msgspec.Raw] = []


class KeysAnswer(msgspec.Struct, frozen=True):
    """Public keys of accounts and their devices."""

    device_keys: dict[str, dict[str, dict[str, Any]]] = {}
    master_keys: dict[str, dict[str, Any]] = {}
    self_signing_keys: dict[str, dict[str, Any]] = {}


class SentAnswer(msgspec.Struct, frozen=True):
    """An event that was sent."""

    event_id: str


class RoomAnswer(msgspec.Struct, frozen=True):
    """A room that was made or joined."""

    room_id: str


class WhoamiAnswer(msgspec.Struct, frozen=True):
    """Whose token it is; a token made by hand may belong to no device."""

    user_id: str
    device_id: str | None = None


def decoded_events(raws: Iterable[msgspec.Raw]) -> list[RoomEvent]:
    """The events that can be read at all."""
    events = []
    for raw in raws:
        try:
            events.append(msgspec.json.decode(raw, type=RoomEvent))
        except msgspec.DecodeError as error:
            log.warning("matrix_event_malformed", reason=str(error))
    return events
