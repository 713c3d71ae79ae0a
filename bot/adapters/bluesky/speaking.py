"""Cards as replies with a card below them, and private ones as direct messages."""

from collections import OrderedDict
from datetime import UTC, datetime

import structlog
from atproto import models  # type: ignore[import-untyped]

from bot.adapters.base import (
    AdapterError,
    NetworkDown,
    PictureSource,
    RateLimited,
    SendRejected,
    Unreachable,
)
from bot.adapters.bluesky.client import Client
from bot.adapters.bluesky.faults import LoggedOut
from bot.adapters.bluesky.refs import DirectRef, RecordRef, record_key, ref_of
from bot.adapters.bluesky.rendering import THUMB_BYTES_MAX, external, pay_link, text_of
from bot.cards import Card, Line, Outgoing

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_REMEMBERED_MAX = 1_000
_NO_CHAT = Card(
    lines=(
        Line(
            "I have an answer for you alone, and you take no direct messages from me. Allow them "
            "in your chat settings, then ask me once more."
        ),
    )
)


class Speaker:
    """Sends cards."""

    def __init__(self, client: Client, pictures: PictureSource) -> None:
        self._client = client
        self._pictures = pictures
        self._doubtful: OrderedDict[str, None] = OrderedDict()

    async def send(self, outgoing: Outgoing) -> str:
        """Post or write a card; gives the name of what was made. Raises the client's errors."""
        if outgoing.edits_ref is not None:
            raise SendRejected("Posts are not edited: a like or reply binds what it saw.")
        answered = ref_of(outgoing.reply_to_ref or "")
        if outgoing.person_id is None and isinstance(answered, RecordRef):
            return str(await self._post(outgoing.send_id, outgoing.card, answered))
        did = outgoing.person_id or outgoing.room_id
        try:
            convo_id = await self._client.conversation_with(did)
        except (SendRejected, Unreachable) as error:
            if isinstance(answered, RecordRef):
                await self._post(outgoing.send_id, _NO_CHAT, answered)
            raise Unreachable(f"{did} takes no direct messages: {error}") from error
        return str(await self._write(convo_id, outgoing, answered))

    async def _post(self, send_id: str, card: Card, answered: RecordRef) -> RecordRef:
        """A reply in public. The same send id again meets the post that it made."""
        reply = await self._thread(answered)
        text = text_of(card)
        record = models.AppBskyFeedPost.Record(
            text=text.text,
            facets=text.facets or None,
            embed=await self._embed(card),
            reply=reply,
            created_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        key = record_key(send_id)
        try:
            return await self._client.create_post(key, record)
        except (LoggedOut, RateLimited):
            raise
        except AdapterError as error:
            try:
                return await self._client.own_post(key)
            except AdapterError:
                raise error from None

    async def _thread(self, answered: RecordRef) -> models.AppBskyFeedPost.ReplyRef:
        """Where a reply goes. Raises `Unreachable` when the post is gone, or another one now."""
        post = await self._client.post(answered.uri)
        if post is None or post.cid != answered.cid:
            raise Unreachable(f"The post {answered.uri} is not there any more.")
        parent = models.ComAtprotoRepoStrongRef.Main(uri=answered.uri, cid=answered.cid)
        record = post.record
        root = parent
        if isinstance(record, models.AppBskyFeedPost.Record) and record.reply is not None:
            root = record.reply.root
        return models.AppBskyFeedPost.ReplyRef(parent=parent, root=root)

    async def _embed(self, card: Card) -> models.AppBskyEmbedExternal.Main | None:
        """The card below the post, with the picture where there is one."""
        button = pay_link(card)
        if button is None or button.url is None:
            return None
        shown = external(card, button.url)
        if card.picture is not None:
            loaded = await self._pictures.load_picture(card.picture.digest)
            if loaded is not None and len(loaded[1]) <= THUMB_BYTES_MAX:
                try:
                    shown.thumb = (await self._client.upload(loaded[1])).blob
                except (NetworkDown, Unreachable, SendRejected) as error:
                    # The card is good without it.
                    log.warning("bluesky_picture_left_out", reason=str(error)[:300])
        return models.AppBskyEmbedExternal.Main(external=shown)

    async def _write(
        self, convo_id: str, outgoing: Outgoing, answered: RecordRef | DirectRef | None
    ) -> DirectRef:
        """A direct message. One whose fate is unknown is looked for before it is written again."""
        text = text_of(outgoing.card)
        if outgoing.send_id in self._doubtful:
            for known in await self._client.messages(convo_id):
                if isinstance(known, models.ChatBskyConvoDefs.MessageView) and (
                    known.sender.did == self._client.did and known.text == text.text
                ):
                    return DirectRef(convo_id, known.id)
        message = models.ChatBskyConvoDefs.MessageInput(text=text.text, facets=text.facets or None)
        if isinstance(answered, DirectRef) and answered.convo_id == convo_id:
            message.reply_to = models.ChatBskyConvoDefs.ReplyRef(message_id=answered.message_id)
        try:
            message_id = await self._client.send_message(convo_id, message)
        except NetworkDown:
            self._doubtful[outgoing.send_id] = None
            if len(self._doubtful) > _REMEMBERED_MAX:
                self._doubtful.popitem(last=False)
            raise
        self._doubtful.pop(outgoing.send_id, None)
        return DirectRef(convo_id, message_id)
