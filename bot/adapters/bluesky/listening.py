"""What happens on Bluesky, as events: mentions, replies, likes, and direct messages."""

import time
from collections import OrderedDict
from datetime import datetime

import msgspec
import structlog
from atproto import models  # type: ignore[import-untyped]

from bot.adapters.base import AdapterError, RateLimited
from bot.adapters.bluesky.client import Client
from bot.adapters.bluesky.faults import LoggedOut
from bot.adapters.bluesky.reading import read_post, read_text
from bot.adapters.bluesky.refs import DirectRef, RecordRef
from bot.events import AnyEvent, Liked, Message

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NETWORK = "bluesky"
_ASKING = frozenset({"mention", "reply"})
_PAGES_MAX = 40
_KNOWN_MAX = 10_000
#: Notifications stand in the order in which their authors' clocks say that they were made, so one
#: may come to stand among older ones: a little, and now and then a lot, is read again.
_OVERLAP_S = 60.0
_LATE_S = 86_400.0
LATE_EVERY_S = 600.0
_SAY_SO_EVERY_S = 3_600.0
#: Times are told in milliseconds.
_NEXT_S = 0.001


class Place(msgspec.Struct, frozen=True):
    """Where reading stands: whose account, the newest notification's time, the chat's cursor.

    `since_s` is when the bot came: what happened before is not for it. `cids`: likes are named by
    their CIDs too.
    """

    did: str
    since_s: float
    seen_at_s: float
    chat: str = ""
    cids: bool = False

    def in_present_names(self) -> "Place":
        """The same place, behind all that was heard when likes had other names.

        Under its new name a like would be heard again, and a payment that was undone made again.
        """
        if self.cids:
            return self
        return msgspec.structs.replace(self, since_s=self.seen_at_s + _NEXT_S, cids=True)


class Listener:
    """Reads on from a place.

    `late_every_s`: how often a whole day is read again, for what came late. The first look does.
    """

    def __init__(self, client: Client, *, late_every_s: float) -> None:
        self._client = client
        self._late_every_s = late_every_s
        self._looked_back_at_s: float | None = None
        self._known: OrderedDict[str, None] = OrderedDict()
        self._said_at_s = -_SAY_SO_EVERY_S

    async def start(self) -> Place:
        """The place of a first start: what is said from now on. Raises the client's errors."""
        newest = await self._client.notifications(None)
        seen_at_s = max((_at_s(one.indexed_at) for one in newest.notifications), default=0.0)
        _, chat = await self._chat("")
        since_s = seen_at_s + _NEXT_S
        return Place(self._client.did, since_s, since_s, chat, cids=True)

    async def read(self, place: Place) -> tuple[list[AnyEvent], Place]:
        """All events after `place`, and the new place. Raises the client's errors."""
        told, seen_at_s = await self._notified(place)
        events: list[AnyEvent] = []
        for one in reversed(told):
            event = self._event(one)
            if event is not None and event.id not in self._known:
                events.append(event)
        said, chat = await self._chat(place.chat)
        now = msgspec.structs.replace(place, seen_at_s=seen_at_s, chat=chat)
        return [*events, *said], now

    def heard(self, events: list[AnyEvent]) -> None:
        """These stand in the inbox: they need not be told again while they are read again."""
        for event in events:
            self._known[event.id] = None
            if len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)

    async def _notified(
        self, place: Place
    ) -> tuple[list[models.AppBskyNotificationListNotifications.Notification], float]:
        """The notifications since a place, newest first, and the time of the newest."""
        now_s = time.monotonic()
        before_s = self._looked_back_at_s
        looks_back = before_s is None or now_s - before_s >= self._late_every_s
        until_s = place.seen_at_s - (_LATE_S if looks_back else _OVERLAP_S)
        seen_at_s = place.seen_at_s
        told: list[models.AppBskyNotificationListNotifications.Notification] = []
        cursor: str | None = None
        for _ in range(_PAGES_MAX):
            page = await self._client.notifications(cursor)
            oldest_s = seen_at_s
            for one in page.notifications:
                oldest_s = _at_s(one.indexed_at)
                seen_at_s = max(seen_at_s, oldest_s)
                if oldest_s >= place.since_s:
                    told.append(one)
            # A page may be empty before the end: what the bot must not see is left out of it.
            cursor = page.cursor
            if not cursor or oldest_s < max(until_s, place.since_s):
                break
        if looks_back:
            self._looked_back_at_s = now_s
        return told, seen_at_s

    def _event(
        self, one: models.AppBskyNotificationListNotifications.Notification
    ) -> AnyEvent | None:
        record = one.record
        if one.author.did == self._client.did:
            return None
        if one.reason == "like" and isinstance(record, models.AppBskyFeedLike.Record):
            return _liked(one, record)
        if one.reason in _ASKING and isinstance(record, models.AppBskyFeedPost.Record):
            return self._message(one, record)
        return None

    def _message(
        self,
        one: models.AppBskyNotificationListNotifications.Notification,
        record: models.AppBskyFeedPost.Record,
    ) -> Message | None:
        written = read_post(record, self._client.did)
        parent = record.reply.parent if record.reply else None
        if one.reason == "reply" and not self._is_own(parent):
            # Replies further down the thread are told too; those are said to somebody else.
            return None
        return Message(
            id=f"{NETWORK}:{one.uri}",
            network=NETWORK,
            room_id=one.author.did,
            person_id=one.author.did,
            occurred_at_s=_at_s(one.indexed_at),
            text=written.text,
            message_ref=str(RecordRef(one.uri, one.cid)),
            links=written.links,
            reply_to_ref=str(RecordRef(parent.uri, parent.cid)) if parent else None,
            name=one.author.display_name or one.author.handle,
            language=record.langs[0] if record.langs else "",
        )

    def _is_own(self, ref: models.ComAtprotoRepoStrongRef.Main | None) -> bool:
        return ref is not None and ref.uri.startswith(f"at://{self._client.did}/")

    async def _chat(self, cursor: str) -> tuple[list[AnyEvent], str]:
        """What was written to the bot alone. A chat that is closed or down stops nothing else."""
        try:
            answer = await self._client.chat_log(cursor or None)
        except (LoggedOut, RateLimited):
            raise
        except AdapterError as error:
            if time.monotonic() - self._said_at_s > _SAY_SO_EVERY_S:
                self._said_at_s = time.monotonic()
                log.warning("bluesky_chat_not_read", reason=str(error)[:300])
            return [], cursor
        if not cursor:
            # Read for the first time: what was written before the bot came is not for it.
            return [], answer.cursor or ""
        events = [self._direct(entry) for entry in answer.logs]
        return [event for event in events if event is not None], answer.cursor or cursor

    def _direct(self, entry: object) -> AnyEvent | None:
        if not isinstance(entry, models.ChatBskyConvoDefs.LogCreateMessage):
            return None
        message = entry.message
        if not isinstance(message, models.ChatBskyConvoDefs.MessageView):
            return None
        did = message.sender.did
        if did == self._client.did:
            return None
        written = read_text(message.text, message.facets, self._client.did)
        answered = getattr(message.reply_to, "id", None)
        return Message(
            id=f"{NETWORK}:dm:{entry.convo_id}:{message.id}",
            network=NETWORK,
            room_id=did,
            person_id=did,
            private=True,
            occurred_at_s=_at_s(message.sent_at),
            text=written.text,
            message_ref=str(DirectRef(entry.convo_id, message.id)),
            links=written.links,
            reply_to_ref=str(DirectRef(entry.convo_id, answered)) if answered else None,
        )


def _liked(
    one: models.AppBskyNotificationListNotifications.Notification,
    record: models.AppBskyFeedLike.Record,
) -> Liked:
    # One event for ever for each person and post: a like that is taken back and given again is
    # another record. It is of the very post whose CID it names, or of none of the bot's; so one
    # with a wrong CID is another event, and does not stand in the way of a right one.
    liked = str(RecordRef(record.subject.uri, record.subject.cid))
    return Liked(
        id=f"{NETWORK}:like:{one.author.did} {liked}",
        network=NETWORK,
        room_id=one.author.did,
        person_id=one.author.did,
        occurred_at_s=_at_s(one.indexed_at),
        message_ref=liked,
    )


def _at_s(said: str) -> float:
    """An instant of the protocol in seconds since the epoch; 0 for what is none."""
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        return 0.0
