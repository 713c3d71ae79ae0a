"""What happens on the server, as events: mentions, favourites, and links that followers share."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

import msgspec
import structlog
from mastodon.return_types import Account, Notification, Status

from bot.adapters.base import SendRejected, Unreachable
from bot.adapters.mastodon.accounts import Accounts, actor_of
from bot.adapters.mastodon.client import Client
from bot.adapters.mastodon.reading import Written, read_post
from bot.events import AnyEvent, Liked, Message

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NETWORK = "mastodon"
_OPEN = frozenset({"public", "unlisted"})
_PAGES_MAX = 50
_One = TypeVar("_One", Notification, Status)


class Place(msgspec.Struct, frozen=True):
    """Where reading stands: whose account, and the last notification and home post that were read.

    An empty id is that of a list in which nothing stood yet.
    """

    account: str
    notification: str
    home: str


class Listener:
    """Reads on from a place. An event's id is made of URIs, which all servers share."""

    def __init__(self, client: Client, accounts: Accounts) -> None:
        self._client = client
        self._accounts = accounts

    async def start(self) -> Place:
        """The place of a first start: what is said from now on. Raises the client's errors."""
        notifications = await self._client.notifications(None, limit=1)
        posts = await self._client.home(None, limit=1)
        return Place(
            actor_of(self._accounts.me),
            str(notifications[-1].id) if notifications else "",
            str(posts[-1].id) if posts else "",
        )

    async def read(self, place: Place) -> tuple[list[AnyEvent], Place]:
        """All events after `place`, and the new place. Raises the client's errors."""
        events: list[AnyEvent] = []
        notification, home = place.notification, place.home
        async for told in _after(notification, self._client.notifications):
            notification = str(told.id)
            events.extend(await self._told(told))
        async for post in _after(home, self._client.home):
            home = str(post.id)
            events.extend(await self._overheard(post))
        return events, Place(place.account, notification, home)

    async def _told(self, told: Notification) -> list[AnyEvent]:
        # Whatever its types say: some kinds of notification come from nobody.
        account: Account | None = getattr(told, "account", None)
        if account is None or self._accounts.is_me(account):
            return []
        self._accounts.note(account)
        if told.type == "follow":
            await self._follow_back(account)
            return []
        # Two bots that answer each other would never end.
        if told.status is None or account.bot:
            return []
        if told.type == "mention":
            return [_message(told.status, read_post(told.status.content or ""), unasked=False)]
        if told.type == "favourite" and self._accounts.is_me(told.status.account):
            return [_liked(told, account, told.status)]
        return []

    async def _follow_back(self, account: Account) -> None:
        """So that links which they share are seen; they asked for it by following."""
        self._accounts.forget_follower(account)
        if account.bot or self._accounts.wants_no_bots(account):
            return
        try:
            await self._client.follow(str(account.id))
        except (Unreachable, SendRejected) as error:
            log.info("mastodon_not_followed", account=actor_of(account), reason=str(error))

    async def _overheard(self, post: Status) -> list[AnyEvent]:
        """A link that somebody shared, where the bot may speak unasked.

        That is: to those who follow it and ask no bots to stay away, under posts that begin a
        thread and that everybody may read, so once in a thread.
        """
        account = post.account
        if post.reblog is not None:
            return []
        if post.in_reply_to_id is not None:
            return []
        if self._accounts.is_me(account) or account.bot or post.visibility not in _OPEN:
            return []
        written = read_post(post.content or "")
        if not written.links or written.mentions & self._own_addresses:
            # What mentions the bot comes as a notification, and was meant for it.
            return []
        if self._accounts.wants_no_bots(account) or not await self._accounts.follows_me(account):
            return []
        self._accounts.note(account)
        return [_message(post, written, unasked=True)]

    @property
    def _own_addresses(self) -> frozenset[str]:
        return frozenset({actor_of(self._accounts.me), str(self._accounts.me.url)})


class _Pages(Protocol[_One]):
    """A list on the server, a page at a time, oldest first."""

    async def __call__(self, after: str | None, *, before: str | None = None) -> list[_One]:
        """The page right after an id, or the newest page, or the newest before an id."""


async def _after(last: str, ask: _Pages[_One]) -> AsyncIterator[_One]:
    """What came after the entry that was read last, oldest first."""
    if not last:
        # Nothing stood there: from the newest page back to the first that was ever written.
        pages = [await ask(None)]
        while pages[-1] and len(pages) < _PAGES_MAX:
            pages.append(await ask(None, before=str(pages[-1][0].id)))
        for page in reversed(pages):
            for one in page:
                yield one
        return
    for _ in range(_PAGES_MAX):
        page = await ask(last)
        for one in page:
            last = str(one.id)
            yield one
        if not page:
            return


def _message(status: Status, written: Written, *, unasked: bool) -> Message:
    account = status.account
    return Message(
        id=f"{NETWORK}:{status.uri}",
        network=NETWORK,
        room_id=str(account.id),
        person_id=actor_of(account),
        # Some servers read direct posts back as "private"; both are answered in private.
        private=status.visibility not in _OPEN,
        occurred_at_s=status.created_at.timestamp(),
        text=written.text,
        message_ref=str(status.id),
        links=written.links,
        reply_to_ref=str(status.in_reply_to_id) if status.in_reply_to_id is not None else None,
        name=account.display_name or account.username,
        language=status.language or "",
        unasked=unasked,
    )


def _liked(told: Notification, account: Account, status: Status) -> Liked:
    # One event for ever for each actor and offer: servers tell it again when the favourite was
    # taken back and given once more.
    return Liked(
        id=f"{NETWORK}:like:{actor_of(account)} {status.id}",
        network=NETWORK,
        room_id=str(account.id),
        person_id=actor_of(account),
        occurred_at_s=told.created_at.timestamp(),
        message_ref=str(status.id),
    )
