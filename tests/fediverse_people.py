"""People on a real fediverse server, and the whole bot with an account among them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

from mastodon import Mastodon
from mastodon.errors import MastodonNetworkError
from mastodon.return_types import Status

from bot.adapters.mastodon.accounts import actor_of
from bot.adapters.mastodon.reading import read_post
from bot.app import Instance, running
from config.settings import load
from tests.peers.snac import SnacPeer

R = TypeVar("R")
#: Two hops of a post through the server's queues, on a busy machine.
WITHIN_S = 60.0


class Person:
    """Somebody with an account. Their client blocks, so each call runs in a thread."""

    def __init__(self, peer: SnacPeer, name: str) -> None:
        self.user, self.token = peer.register(name)
        self.api = Mastodon(
            access_token=self.token, api_base_url=peer.base_url, ratelimit_method="throw"
        )
        self.api.session.headers["Connection"] = "close"
        self.account = self.api.account_verify_credentials()
        self.actor = actor_of(self.account)

    async def act(self, method: Callable[..., R], *args: object, **kwargs: object) -> R:
        for _ in range(3):
            try:
                return await asyncio.to_thread(method, *args, **kwargs)
            except MastodonNetworkError:
                # The small server resets a connection whose request comes in slowly.
                await asyncio.sleep(0.2)
        return await asyncio.to_thread(method, *args, **kwargs)

    async def say(self, text: str, *, visibility: str = "public", to: str | None = None) -> Status:
        posted = await self.act(
            self.api.status_post, text, visibility=visibility, in_reply_to_id=to
        )
        assert isinstance(posted, Status)
        return posted

    async def follow(self, other: "Person") -> None:
        """Follow somebody; returns once the other server has accepted."""
        await self.act(self.api.account_follow, other.account.id)

    async def reads(self, post: Status) -> Status:
        """Wait until a post has come to this person; gives it as they see it."""
        lists = (self.api.notifications, self.api.timeline_home)
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    for ask in lists:
                        for one in await self.act(ask, limit=40):
                            seen = one if isinstance(one, Status) else one.status
                            if seen is not None and seen.uri == post.uri:
                                return seen
                        # The small server breaks connections that follow each other closely.
                        await asyncio.sleep(0.7)
        except TimeoutError:
            raise AssertionError(f"{self.user} never got {post.uri}") from None

    async def posts(self) -> list[Status]:
        """All that this account posted, oldest first."""
        found = await self.act(self.api.account_statuses, self.account.id, limit=40)
        return sorted(found, key=lambda post: str(post.uri))


class Bot(Person):
    """The bot's account, and how the bot is started with it."""

    def __init__(self, peer: SnacPeer, folder: Path) -> None:
        super().__init__(peer, "payontap")
        self.data_dir = folder / "data"
        self.base_url = peer.base_url

    def running(self, **more: str) -> AbstractAsyncContextManager[Instance]:
        settings = {
            "data_dir": str(self.data_dir),
            "web__port": "0",
            "log__level": "warning",
            "fetch__timeout_s": "30",
            "mastodon__server": self.base_url,
            "mastodon__access_token": self.token,
            "mastodon__operator": "@admin@example.org",
            "mastodon__poll_s": "2",
            **more,
        }
        return running(load(None, {f"PAYONTAP_{k.upper()}": v for k, v in settings.items()}))

    async def see(self, *wanted: tuple[str, Person]) -> list[Status]:
        """Wait until each person has got a post of the bot with these words; gives the posts."""
        found: dict[int, Status] = {}
        try:
            async with asyncio.timeout(WITHIN_S):
                while len(found) < len(wanted):
                    for n, (words, person) in enumerate(wanted):
                        if n not in found:
                            post = await self._said_to(person, words)
                            found |= {n: post} if post is not None else {}
                    # The small server breaks connections that follow each other closely.
                    await asyncio.sleep(0.5)
        except TimeoutError:
            missing = [words for n, (words, _) in enumerate(wanted) if n not in found]
            raise AssertionError(f"never seen: {missing}") from None
        return [found[n] for n in range(len(wanted))]

    async def _said_to(self, person: Person, words: str) -> Status | None:
        for told in await person.act(person.api.notifications, limit=40):
            post: Status | None = told.status
            if post is None or actor_of(post.account) != self.actor:
                continue
            said = read_post(post.content or "")
            if words in said.text and person.actor in said.mentions:
                return post
        return None


def said_by(post: Status) -> Any:  # noqa: ANN401 - shorthand for tests
    return read_post(post.content or "")
