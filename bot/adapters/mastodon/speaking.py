"""Cards as posts: answers unlisted below the post they answer, everything else as direct messages.

Servers may ignore the idempotency key, so a post whose fate is unknown is looked for before it
is posted again.
"""

import hashlib
from collections import OrderedDict

import structlog
from mastodon.return_types import Account, Status

from bot.adapters.base import NetworkDown, PictureSource, SendRejected, Unreachable
from bot.adapters.mastodon.accounts import Accounts, actor_of
from bot.adapters.mastodon.client import Client
from bot.adapters.mastodon.reading import read_post
from bot.adapters.mastodon.rendering import post_text
from bot.cards import Outgoing, Picture

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OPEN = frozenset({"public", "unlisted"})
_DOUBTFUL_MAX = 1_000


class Speaker:
    """Sends cards."""

    def __init__(self, client: Client, accounts: Accounts, pictures: PictureSource) -> None:
        self._client = client
        self._accounts = accounts
        self._pictures = pictures
        self._doubtful: OrderedDict[str, None] = OrderedDict()

    async def send(self, outgoing: Outgoing) -> str:
        """Post a card; gives the post's id on this server. Raises the client's errors."""
        if outgoing.edits_ref is not None:
            raise SendRejected("Posts are not edited: servers give an edited post another id.")
        reader = await self._accounts.find(outgoing.room_id)
        if outgoing.person_id is not None and actor_of(reader) != outgoing.person_id:
            raise Unreachable(f"Account {outgoing.room_id} is not {outgoing.person_id} any more.")
        visibility, in_reply_to = await self._place(outgoing)
        text = post_text(outgoing.card, self._accounts.mention(reader))
        if outgoing.send_id in self._doubtful:
            posted = await self._posted_before(text, reader)
            if posted is not None:
                return posted
        return await self._post(outgoing, text, visibility, in_reply_to)

    async def _place(self, outgoing: Outgoing) -> tuple[str, str | None]:
        """With which visibility, and below which post. Raises `Unreachable` when it is gone."""
        answered = outgoing.reply_to_ref
        if answered is None:
            return "direct", None
        try:
            below = await self._client.status(answered)
        except Unreachable:
            if outgoing.person_id is None:
                # Whoever took the post away wants no answer standing there.
                raise
            return "direct", None
        if outgoing.person_id is None and below.visibility in _OPEN:
            return "unlisted", answered
        return "direct", answered

    async def _post(
        self, outgoing: Outgoing, text: str, visibility: str, in_reply_to: str | None
    ) -> str:
        picture = outgoing.card.picture
        media = await self._upload(picture) if picture is not None else []
        try:
            posted = await self._client.post(
                text,
                visibility=visibility,
                key=hashlib.sha256(outgoing.send_id.encode()).hexdigest(),
                in_reply_to=in_reply_to,
                media=media,
            )
        except NetworkDown:
            self._doubtful[outgoing.send_id] = None
            if len(self._doubtful) > _DOUBTFUL_MAX:
                self._doubtful.popitem(last=False)
            raise
        self._doubtful.pop(outgoing.send_id, None)
        return str(posted.id)

    async def _posted_before(self, text: str, reader: Account) -> str | None:
        """The id of a post of the bot's own that says exactly this to this reader."""
        wanted = _comparable_text(text, self._accounts.mention(reader))
        for status in await self._client.own_posts(str(self._accounts.me.id)):
            if _calls(status, reader) and _comparable_post(status) == wanted:
                return str(status.id)
        return None

    async def _upload(self, picture: Picture) -> list[str]:
        """The picture's id on the server. A card is good without it: a refusal is logged only."""
        loaded = await self._pictures.load_picture(picture.digest)
        if loaded is None:
            return []
        try:
            return [await self._client.upload(*loaded, description=picture.alt)]
        except (NetworkDown, Unreachable, SendRejected) as error:
            log.warning("mastodon_picture_left_out", digest=picture.digest, reason=str(error))
            return []


def _calls(status: Status, reader: Account) -> bool:
    addresses = {actor_of(reader), str(reader.url)}
    mentioned = {str(mention.url) for mention in status.mentions or ()}
    return bool(addresses & (mentioned | read_post(status.content or "").mentions))


def _comparable_post(status: Status) -> str:
    written = read_post(status.content or "")
    return _squeezed(written.text + "".join(link.url for link in written.links))


def _comparable_text(text: str, mention: str) -> str:
    lines = text.removeprefix(mention).split("\n")
    links = [line.partition(": ") for line in lines if ": http" in line]
    words = [line.partition(": http")[0] + ":" if ": http" in line else line for line in lines]
    return _squeezed("".join(words) + "".join(url for _, _, url in links))


def _squeezed(text: str) -> str:
    """Without spaces and joiners, which servers change."""
    return "".join(sign for sign in text if not sign.isspace() and sign != "\u2060")
